// Package stacktest starts the whole of Craftista for tests and benchmarks: on
// free ports, with a seeded database of its own.
package stacktest

import (
	"log/slog"
	"os"
	"testing"

	"craftista/db"
	"craftista/db/pgtest"
	"craftista/shared/waittest"
	"craftista/stack/internal/local"

	"github.com/jmoiron/sqlx"
	"golang.org/x/crypto/bcrypt"
)

// Settings are those of a stack with a seeded database and a data folder of its
// own.
func Settings(tb testing.TB) local.Config {
	tb.Helper()
	const free = "localhost:0"
	c := local.Default()
	c.FrontendAddr, c.AuthAddr, c.ProductAddr, c.RecommendationAddr, c.TracesAddr = free, free, free, free, free
	c.Data, c.DatabaseURL = tb.TempDir(), pgtest.NewSeeded(tb).AdminURL
	c.Passwords = pgtest.Passwords()
	c.BcryptCost = bcrypt.MinCost // hashing is slow on purpose, and slower under the race detector
	// On a busy machine, too, nothing is missing from a page.
	c.PageTimeout, c.RequestTimeout = waittest.Timeout, waittest.Timeout
	c.LogLevel = slog.LevelError + 1 // tests break things on purpose
	return c
}

// Start runs a stack until the test ends; change, which may be nil, changes its
// settings.
func Start(tb testing.TB, change func(*local.Config)) *local.Stack {
	tb.Helper()
	c := Settings(tb)
	if change != nil {
		change(&c)
	}
	s, err := local.Start(tb.Context(), c, func(string) {})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Stop(); err != nil {
			tb.Errorf("stop: %v", err)
		}
	})
	return s
}

// Site is a stack for a test that needs only the URL of its site: the one at E2E_SITE_URL, which others may use at the
// same time, or else one of its own.
func Site(tb testing.TB) *local.Stack {
	tb.Helper()
	if url := os.Getenv("E2E_SITE_URL"); url != "" {
		return &local.Stack{URLs: map[string]string{"frontend": url}}
	}
	return Start(tb, nil)
}

// CheapenPasswords makes those of the demo accounts as cheap to check as bcrypt can.
func CheapenPasswords(tb testing.TB, database *sqlx.DB) {
	tb.Helper()
	for _, a := range db.DemoAccounts() {
		hash, err := bcrypt.GenerateFromPassword([]byte(a.Password), bcrypt.MinCost)
		if err != nil {
			tb.Fatal(err)
		}
		const cheapen = `UPDATE auth.users SET password_hash = $1 WHERE username = $2`
		if _, err := database.ExecContext(tb.Context(), cheapen, string(hash), a.Username); err != nil {
			tb.Fatal(err)
		}
	}
}
