package db_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"craftista/db"
	"craftista/db/pgtest"
)

func TestUpFromManyReplicasAndAgain(t *testing.T) {
	t.Parallel()
	one, passwords := blank(t)
	two, _ := blank(t) // a second database of the same server, which shares its roles
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := db.Up(t.Context(), []string{one, two}[i%2], passwords); err != nil {
				t.Errorf("replica %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	for _, adminURL := range []string{one, two} {
		first := statusOf(t, adminURL)
		for _, m := range first {
			if m.AppliedAt.IsZero() {
				t.Errorf("%s of %s is pending", m.Name, m.Schema)
			}
		}
		if err := db.Up(t.Context(), adminURL, passwords); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(statusOf(t, adminURL), first); diff != "" {
			t.Errorf("status after doing it again (-got +want):\n%s", diff)
		}
	}
}

func TestUpNeedsNoSuperuser(t *testing.T) {
	t.Parallel()
	adminURL, passwords := blank(t)
	pool := pgtest.Open(t, adminURL)
	name := strings.TrimPrefix(mustParse(t, adminURL).Path, "/")
	// The roles exist by now and belong to the superuser, so PostgreSQL 16 and later want an explicit grant.
	mustExec(t, pool, `CREATE ROLE `+name+` LOGIN CREATEROLE PASSWORD 'owner'`)
	mustExec(t, pool, `ALTER DATABASE `+name+` OWNER TO `+name)
	for _, role := range []string{db.AuthRole, db.ProductRole, db.RecommendationRole} {
		mustExec(t, pool, `GRANT `+role+` TO `+name+` WITH ADMIN OPTION`)
	}
	ownerURL, err := db.RoleURL(adminURL, name, "owner")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Up(t.Context(), ownerURL, passwords); err != nil {
		t.Fatal(err)
	}
}

func TestUpStopsWaitingWithItsContext(t *testing.T) {
	t.Parallel()
	adminURL, passwords := blank(t)
	mustExec(t, pgtest.Open(t, adminURL), `SELECT pg_advisory_lock(7231098154)`) // until the pool is closed
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := db.Up(ctx, adminURL, passwords); err == nil {
		t.Error("got no error while another replica holds the lock")
	}
}

func TestUpRefuses(t *testing.T) {
	t.Parallel()
	good := db.Passwords{Auth: "a", Product: "b", Recommendation: "c"}
	for name, test := range map[string]struct {
		url       string
		passwords db.Passwords
		want      string
	}{
		"empty passwords, all named": {
			url:       "postgres://localhost",
			passwords: db.Passwords{Product: "b"},
			want:      "the password of craftista_auth is empty\nthe password of craftista_recommendation is empty",
		},
		"another database": {
			url:       "mysql://user:secret@localhost",
			passwords: good,
			want:      "the database URL must start with postgres://",
		},
		"a URL that is none, without repeating its password": {
			url:       "postgres://user:secret@local host",
			passwords: good,
			want:      `read database URL: invalid character " " in host name`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := db.Up(t.Context(), test.url, test.passwords)
			if err == nil || err.Error() != test.want {
				t.Errorf("got error %q, want %q", err, test.want)
			}
		})
	}
}

func TestStatusOfABlankDatabaseIsPending(t *testing.T) {
	t.Parallel()
	adminURL, _ := blank(t)
	want := []db.Migration{
		{Schema: "auth", Name: "00010_schema.sql"},
		{Schema: "auth", Name: "00011_codes_and_revocations.sql"},
		{Schema: "auth", Name: "00012_clients.sql"},
		{Schema: "auth", Name: "00013_mail.sql"},
		{Schema: "auth", Name: "00014_signing_keys.sql"},
		{Schema: "product", Name: "00010_schema.sql"},
		{Schema: "product", Name: "00013_maker.sql"},
		{Schema: "product", Name: "00014_pictures.sql"},
		{Schema: "product", Name: "00015_voters.sql"},
		{Schema: "product", Name: "00016_newest_votes.sql"},
		{Schema: "recommendation", Name: "00010_schema.sql"},
	}
	for range 2 { // the first time leaves nothing behind
		if diff := cmp.Diff(statusOf(t, adminURL), want); diff != "" {
			t.Errorf("status (-got +want):\n%s", diff)
		}
	}
}

func TestRoleURLKeepsAllButTheUser(t *testing.T) {
	t.Parallel()
	got, err := db.RoleURL("postgres://root:secret@db:5433/craftista?sslmode=require", db.AuthRole, "p@ss/word")
	if err != nil {
		t.Fatal(err)
	}
	if want := "postgres://craftista_auth:p%40ss%2Fword@db:5433/craftista?sslmode=require"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// blank makes a database without anything in it, which ends with the server.
func blank(t *testing.T) (adminURL string, p db.Passwords) {
	t.Helper()
	migrated := pgtest.New(t)
	pool := pgtest.Open(t, migrated.AdminURL)
	u := mustParse(t, migrated.AdminURL)
	u.Path += "_blank"
	name := strings.TrimPrefix(u.Path, "/")
	mustExec(t, pool, `CREATE DATABASE `+name)
	return u.String(), pgtest.Passwords()
}

func statusOf(t *testing.T, adminURL string) []db.Migration {
	t.Helper()
	all, err := db.Status(t.Context(), adminURL)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func mustParse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
