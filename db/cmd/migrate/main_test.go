package main

import (
	"bytes"
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"craftista/db"
	"craftista/db/pgtest"
)

func TestRunMigratesAndSeeds(t *testing.T) {
	t.Parallel()
	env := environment(pgtest.New(t).AdminURL)
	for _, command := range []string{"up", "seed", "seed"} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{command}, env, &stdout, &stderr)
		if code != 0 || stdout.String()+stderr.String() != "" {
			t.Errorf("got exit %d of %s, want no output; it wrote %s%s", code, command, &stdout, &stderr)
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"status"}, env, &stdout, &stderr); code != 0 {
		t.Fatalf("got exit %d: %s", code, &stderr)
	}
	for _, line := range strings.Split(strings.TrimSpace(stdout.String()), "\n") {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			t.Fatalf("got line %q, want schema, file and time", line)
		}
		if _, err := time.Parse(time.RFC3339, fields[2]); err != nil {
			t.Errorf("got line %q, want it to end in a time", line)
		}
	}
}

func TestRunSeedsNothingOnRequest(t *testing.T) {
	t.Parallel()
	pg := pgtest.New(t)
	var stdout, stderr bytes.Buffer
	env := append(environment(pg.AdminURL), "SEED=false")
	if code := run(t.Context(), []string{"seed"}, env, &stdout, &stderr); code != 0 {
		t.Fatalf("got exit %d: %s", code, &stderr)
	}
	pool, err := sql.Open("postgres", pg.AdminURL)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var rows int
	const count = `SELECT (SELECT count(*) FROM auth.users) + (SELECT count(*) FROM product.products)`
	if err := pool.QueryRowContext(t.Context(), count).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("got %d people and products, %v; want none", rows, err)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	var none []string
	wrongURL, err := db.RoleURL(pgtest.New(t).AdminURL, "postgres", "wrong")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		env  []string
		code int
		want string
	}{
		"no command":         {nil, none, 2, usage},
		"an unknown command": {[]string{"down"}, none, 2, usage},
		"too many commands":  {[]string{"up", "seed"}, none, 2, usage},
		"an empty environment": {[]string{"up"}, none, 1,
			"migrate up: invalid settings:\n  DATABASE_URL is not set\n  AUTH_DB_PASSWORD is not set\n" +
				"  PRODUCT_DB_PASSWORD is not set\n  RECOMMENDATION_DB_PASSWORD is not set\n"},
		"no database for status": {[]string{"status"}, none, 1,
			"migrate status: invalid settings:\n  DATABASE_URL is not set\n"},
		"another database": {[]string{"seed"}, []string{"DATABASE_URL=mysql://db"}, 1,
			"migrate seed: DATABASE_URL is not a PostgreSQL URL\n"},
		"a wrong password": {[]string{"seed"}, environment(wrongURL), 1,
			"migrate seed: connect to the database: pq: password authentication failed for user \"postgres\" (28P01)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), test.args, test.env, &stdout, &stderr); code != test.code {
				t.Errorf("got exit %d, want %d", code, test.code)
			}
			if got := stderr.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := stdout.String(); got != "" {
				t.Errorf("got output %q, want none", got)
			}
		})
	}
}

func TestRunWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var stderr bytes.Buffer
	env := []string{"DATABASE_URL=postgres://postgres@127.0.0.1:1/postgres?sslmode=disable"}
	if code := run(ctx, []string{"status"}, env, &stderr, &stderr); code != 1 {
		t.Errorf("got exit %d, want 1", code)
	}
	if got := strings.Count(stderr.String(), "waiting for the database"); got != 1 {
		t.Errorf("got %d lines that it waits, want 1: %s", got, &stderr)
	}
	if !strings.Contains(stderr.String(), "migrate status: the database did not come up") {
		t.Errorf("got %q, want it to say that the database did not come up", &stderr)
	}
}

// environment is a complete one for the database.
func environment(adminURL string) []string {
	p := pgtest.Passwords()
	return []string{
		"DATABASE_URL=" + adminURL,
		"AUTH_DB_PASSWORD=" + p.Auth,
		"PRODUCT_DB_PASSWORD=" + p.Product,
		"RECOMMENDATION_DB_PASSWORD=" + p.Recommendation,
	}
}
