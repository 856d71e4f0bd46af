package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/shared/waittest"
	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
)

// TestEverybodyWorks runs the mix against a whole stack until each kind was done, and
// finds the pieces and their votes as before. Then product stops, and what needs it fails.
func TestEverybodyWorks(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	database := openDatabase(t, s)
	before := pieces(t, database)

	kinds := []string{"edit", "listen", "search", "sign in", "unvote", "visit", "vote"}
	last := []string{"listen", "unvote"} // are counted when all ends
	out, err := runUntil(t, s, 1, func(m *meter) bool {
		for _, kind := range kinds {
			if !slices.Contains(last, kind) && m.kinds[kind] == nil {
				return false
			}
		}
		return m.events.Load() > 0
	})
	if err != nil {
		t.Errorf("run: %v", err)
	}
	for _, kind := range kinds {
		if !strings.Contains(out, "\n"+kind) {
			t.Errorf("no %q in the report", kind)
		}
	}
	if !strings.Contains(out, "\n0 of ") || strings.Contains(out, "such as") {
		t.Error("something failed")
	}
	if diff := cmp.Diff(before, pieces(t, database)); diff != "" {
		t.Errorf("pieces (-before +after):\n%s", diff)
	}
	t.Log(out)

	stopped := false
	out, err = runUntil(t, s, 20, func(m *meter) bool {
		if !stopped {
			stopped = true
			if err := s.StopPart("product"); err != nil {
				t.Error(err)
			}
		}
		for _, kind := range []string{"edit", "vote", "visit"} {
			if k := m.kinds[kind]; k == nil || k.failed == 0 {
				return false
			}
		}
		return true
	})
	if err == nil || !strings.Contains(out, "such as: the gallery has no pieces") {
		t.Errorf("without product: %v\n%s", err, out)
	}
}

// runUntil runs the load until the condition holds, and gives what it printed.
func runUntil(t *testing.T, s *local.Stack, perSecond float64, holds func(*meter) bool) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Timeout)
	defer cancel()
	var out bytes.Buffer
	m, ended := newMeter(), make(chan error, 1)
	go func() {
		ended <- run(ctx, settings{
			URL: s.URLs["frontend"], AuthURL: s.URLs["auth"], ProductURL: s.URLs["product"],
			Rate: perSecond, Duration: time.Hour, Listeners: 2,
		}, m, &out)
	}()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			return out.String(), err
		case <-ticker.C:
			m.mu.Lock()
			if len(m.kinds) > 0 && holds(m) { // everybody has begun
				cancel()
			}
			m.mu.Unlock()
		}
	}
}

// openDatabase is the stack's, where checking the demo accounts' passwords is cheap
// from now on.
func openDatabase(t *testing.T, s *local.Stack) *sqlx.DB {
	t.Helper()
	database, err := pg.Open(s.Config.DatabaseURL, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	stacktest.CheapenPasswords(t, database)
	return database
}

// pieces are all products with what curators and voters can change.
func pieces(t *testing.T, database *sqlx.DB) []string {
	t.Helper()
	const query = `SELECT (id, name, description, image_url, difficulty, folds, paper, votes)::text
		FROM product.products ORDER BY id`
	var rows []string
	if err := database.SelectContext(t.Context(), &rows, query); err != nil || len(rows) == 0 {
		t.Fatalf("%d pieces, %v", len(rows), err)
	}
	return rows
}

func TestReport(t *testing.T) {
	t.Parallel()
	m := newMeter()
	for i := range 200 {
		m.measure(t.Context(), "vote", func(context.Context) error {
			if i%40 == 0 {
				return errors.New("refused")
			}
			return nil
		})
	}
	for i := range m.kinds["vote"].took {
		m.kinds["vote"].took[i] = time.Duration(200-i) * time.Millisecond
	}
	m.measure(t.Context(), "visit", func(context.Context) error { return nil })
	m.kinds["visit"].took[0] = 3 * time.Second
	m.events.Add(7)

	var out bytes.Buffer
	if err := m.report(&out, 0.02); err == nil {
		t.Error("5 of 201 are more than 2 %")
	}
	if err := m.report(&out, 0.025); err != nil {
		t.Errorf("5 of 201 are fewer than 2.5 %%: %v", err)
	}
	const want = `
            count  failed      50 %      95 %      99 %
visit           1       0        3s        3s        3s
vote          200       5     100ms     190ms     198ms
  such as: refused
5 of 201 failed; listeners got 7 events
`
	if diff := cmp.Diff(want+want, out.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestLoadStaysNear(t *testing.T) {
	t.Parallel()
	for address, near := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "10.1.2.3:80": true, "172.16.0.1:80": true, "192.168.0.1:80": true,
		"[::ffff:192.168.0.1]:80": true, "[fd00::1]:80": true,
		"172.32.0.1:80": false, "192.0.2.1:80": false, "169.254.0.1:80": false, "[2001:db8::1]:80": false, "": false,
	} {
		if err := nearby("tcp", address, nil); (err == nil) != near {
			t.Errorf("%q: %v", address, err)
		}
	}
	// An address that is refused here and harmless where it is not.
	const refused = "http://0.0.0.0:1"
	s := settings{URL: refused, AuthURL: refused, ProductURL: refused}
	err := run(t.Context(), s, newMeter(), &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "-allow-remote") {
		t.Errorf("%s: %v", refused, err)
	}
}
