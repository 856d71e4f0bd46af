// Package pgtest gives each test a real PostgreSQL database of its own.
package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	_ "github.com/lib/pq" // the driver "postgres"

	"craftista/db"
	"craftista/db/embedded"
)

// Database is a fresh, migrated database, as seen by the superuser and by each service.
type Database struct {
	AdminURL          string
	AuthURL           string
	ProductURL        string
	RecommendationURL string
}

// New makes a database that is empty but for the schemas, and drops it when the test ends, with whatever is still
// connected. It costs tens of milliseconds, and the first one of a process a second.
//
// The server is a private one of the test binary, and ends with it.
func New(tb testing.TB) *Database {
	tb.Helper()
	return clone(tb, emptyTemplate)
}

// NewSeeded is New with the seed data.
func NewSeeded(tb testing.TB) *Database {
	tb.Helper()
	return clone(tb, seededTemplate)
}

// Open is a pool of connections to the database, which is closed when the test ends.
func Open(tb testing.TB, databaseURL string) *sql.DB {
	tb.Helper()
	pool, err := sql.Open("postgres", databaseURL)
	if err != nil {
		tb.Fatalf("open test database: %v", err)
	}
	tb.Cleanup(func() { _ = pool.Close() })
	return pool
}

// Server and templates are shared by all tests of the process: package testing has no place between one test and the
// process to store them.
var (
	server         = sync.OnceValues(startServer)
	emptyTemplate  = sync.OnceValues(func() (string, error) { return makeTemplate("template_empty", nil) })
	seededTemplate = sync.OnceValues(func() (string, error) { return makeTemplate("template_seeded", db.Seed) })
)

// startServer starts from scratch in the first folder below the cache that no server uses, so that killed test runs
// leave no more folders behind than servers ever ran at once.
func startServer() (adminURL string, err error) {
	base, err := embedded.DefaultDir()
	if err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		s, err := embedded.Start(context.Background(), embedded.Config{
			Dir:       filepath.Join(base, "test", strconv.Itoa(n)),
			Ephemeral: true,
			Progress:  func(step string) { fmt.Fprintln(os.Stderr, "pgtest:", step) },
		})
		switch {
		case err == nil:
			return s.URL(), nil
		case !errors.Is(err, embedded.ErrInUse):
			return "", err
		}
	}
}

// Passwords are those of the roles of the services on the server of tests. Tests share them, so none may change them.
func Passwords() db.Passwords {
	return db.Passwords{Auth: "test-auth", Product: "test-product", Recommendation: "test-recommendation"}
}

// makeTemplate makes a migrated database, fills it, and returns its name.
func makeTemplate(name string, fill func(context.Context, string) error) (string, error) {
	ctx := context.Background() // only the test binary's own timeout ends it
	adminURL, err := server()
	if err != nil {
		return "", err
	}
	pool, err := sql.Open("postgres", adminURL)
	if err != nil {
		return "", err
	}
	defer pool.Close()
	if err := execute(ctx, pool, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	templateURL := withDatabase(adminURL, name)
	err = db.Up(ctx, templateURL, Passwords())
	if err == nil && fill != nil {
		err = fill(ctx, templateURL)
	}
	return name, err
}

func clone(tb testing.TB, template func() (string, error)) *Database {
	tb.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	from, err := template()
	if err != nil {
		tb.Fatalf("make test database: %v", err)
	}
	adminURL, err := server()
	if err != nil {
		tb.Fatalf("make test database: %v", err)
	}
	pool := Open(tb, adminURL)
	if err := execute(tb.Context(), pool, "CREATE DATABASE "+name+" TEMPLATE "+from); err != nil {
		tb.Fatalf("make test database: %v", err)
	}
	tb.Cleanup(func() {
		if err := execute(context.WithoutCancel(tb.Context()), pool, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop test database: %v", err)
		}
	})
	return seenBy(tb, withDatabase(adminURL, name))
}

func seenBy(tb testing.TB, adminURL string) *Database {
	tb.Helper()
	as := func(role, password string) string {
		roleURL, err := db.RoleURL(adminURL, role, password)
		if err != nil {
			tb.Fatalf("make test database: %v", err)
		}
		return roleURL
	}
	p := Passwords()
	return &Database{
		AdminURL:          adminURL,
		AuthURL:           as(db.AuthRole, p.Auth),
		ProductURL:        as(db.ProductRole, p.Product),
		RecommendationURL: as(db.RecommendationRole, p.Recommendation),
	}
}

func withDatabase(adminURL, name string) string {
	u, err := url.Parse(adminURL)
	if err != nil {
		return "" // another database was opened by it already
	}
	u.Path = "/" + name
	return u.String()
}

func execute(ctx context.Context, pool *sql.DB, statement string) error {
	if _, err := pool.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
