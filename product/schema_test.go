package product_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"craftista/db/pgtest"

	"github.com/google/go-cmp/cmp"
)

type readiness struct {
	Status  string
	Checks  map[string]string
	Reasons map[string]string
}

// ready is what the service at url says about itself.
func ready(t *testing.T, url string) (status int, said readiness) {
	t.Helper()
	status, _, body := request(t, "GET", url+"/readyz", "")
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return status, said
}

// TestReadinessKnowsTheSchema and says in words what is wrong with it. Without a change it is the one that the service
// was built for: a new migration needs a new version there.
func TestReadinessKnowsTheSchema(t *testing.T) {
	t.Parallel()
	down := func(why string) readiness {
		return readiness{"unready", map[string]string{"database": "down"}, map[string]string{"database": why}}
	}
	forbidden := func(what string) readiness {
		return down("the role in DATABASE_URL may not read the schema product (permission denied for " + what +
			"): migrate the database, or correct the role")
	}
	for name, row := range map[string]struct {
		change string
		want   readiness
	}{
		"migrated": {"SELECT", readiness{"ready", map[string]string{"database": "ok", "schema": "ok"}, nil}},
		"empty":    {"DROP SCHEMA product CASCADE", down("the database has no schema product yet: migrate it")},
		"older": {
			"DELETE FROM product.goose_db_version WHERE version_id > 0",
			down("the schema product is older than this version of the service needs: migrate the database (from 0 to 16)"),
		},
		"no right to read the version": {
			"REVOKE ALL ON product.goose_db_version FROM craftista_product", forbidden("table goose_db_version"),
		},
		"no right to use the schema": {"REVOKE ALL ON SCHEMA product FROM craftista_product", forbidden("schema product")},
		"no right to read a table":   {"REVOKE ALL ON product.images FROM craftista_product", forbidden("table images")},
		"newer": {
			"INSERT INTO product.goose_db_version (version_id, is_applied) VALUES (99, true)",
			readiness{
				"ready", map[string]string{"database": "ok", "schema": "degraded"}, map[string]string{
					"schema": "the schema product is newer than this version of the service knows (99 instead of 16)",
				},
			},
		},
		"without a table": {
			"DROP TABLE product.images", down("the schema product lacks a table"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t, 1)
			if _, err := pgtest.Open(t, site.adminURL).ExecContext(t.Context(), row.change); err != nil {
				t.Fatal(err)
			}
			site.config.RedisURL = ""
			url, _ := run(t, site.config)
			status, got := ready(t, url)
			if row.want.Status == "unready" {
				delete(got.Checks, "schema") // as wrong
				delete(got.Reasons, "schema")
			}
			if diff := cmp.Diff(row.want, got); diff != "" || (status == 200) != (got.Status == "ready") {
				t.Errorf("%d (-want +got):\n%s", status, diff)
			}
		})
	}
}

func TestReadinessOfAServiceThatMayNotSignIn(t *testing.T) {
	t.Parallel()
	site := newSite(t, 1)
	site.config.RedisURL = ""
	site.config.DatabaseURL = strings.Replace(site.config.DatabaseURL, "craftista_product:", "craftista_nobody:", 1)
	url, _ := run(t, site.config)
	const want = "the database does not let this service sign in: migrate it, or correct DATABASE_URL"
	if status, got := ready(t, url); status != 503 || got.Reasons["database"] != want {
		t.Errorf("%d %+v", status, got)
	}
}

// TestReadinessNamesEveryColumn that the service uses, each missing in turn.
func TestReadinessNamesEveryColumn(t *testing.T) {
	t.Parallel()
	site := newSite(t, 1)
	url, _ := run(t, site.config)
	admin := pgtest.Open(t, site.adminURL)
	rows, err := admin.QueryContext(t.Context(), `
		SELECT table_name, column_name
		  FROM information_schema.columns
		 WHERE table_schema = 'product'
		   AND table_name NOT IN ('goose_db_version', 'voters') -- recommendation's names those of voters
		   AND table_name || '.' || column_name NOT IN ( -- for people who look into the database
		       'images.created_at', 'additions.created_at', 'cache_generation.singleton')`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns := 0
	for ; rows.Next(); columns++ {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		rename := func(from, to string) {
			const statement = "ALTER TABLE product.%s RENAME COLUMN %s TO %s"
			if _, err := admin.ExecContext(t.Context(), fmt.Sprintf(statement, table, from, to)); err != nil {
				t.Fatal(err)
			}
		}
		rename(column, "renamed")
		want := `the schema lacks a column: column "` + column + `" does not exist`
		if status, got := ready(t, url); status != 503 || got.Reasons["database"] != want {
			t.Errorf("without %s.%s: %d %+v", table, column, status, got)
		}
		rename("renamed", column)
	}
	if status, got := ready(t, url); rows.Err() != nil || columns == 0 || status != 200 {
		t.Errorf("%d columns, %v; at the end %d %+v", columns, rows.Err(), status, got)
	}
}
