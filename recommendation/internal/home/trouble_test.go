package home_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"craftista/shared/token"

	"github.com/google/go-cmp/cmp"
)

const away = "something this needs is not answering, try again shortly"

type state struct {
	Status         string            `json:"status"`
	DatabaseStatus string            `json:"database_status"`
	Checks         map[string]string `json:"checks"`
}

func TestDatabaseIsThere(t *testing.T) {
	t.Parallel()
	h := newWorld(t).replica(t, time.Now)
	wantState(t, h, "/api/recommendation-status", http.StatusOK, state{Status: "operational", DatabaseStatus: "operational"})
	wantState(t, h, "/readyz", http.StatusOK, state{Status: "ready", Checks: map[string]string{"database": "ok"}})
}

func TestDatabaseIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.url = "postgres://craftista_recommendation:hidden@" + closedAddr(t) + "/craftista?sslmode=disable"
	h := w.replica(t, time.Now)
	wantState(t, h, "/api/recommendation-status", http.StatusOK, state{Status: "degraded", DatabaseStatus: "down"})
	wantState(t, h, "/readyz", http.StatusServiceUnavailable, state{Status: "unready", Checks: map[string]string{"database": "down"}})
	wantState(t, h, "/livez", http.StatusOK, state{Status: "alive"})
	wantState(t, h, "/health", http.StatusOK, state{Status: "ok"})
	for _, path := range []string{dailyPath, archivePath, picksPath, alsoLikedPath} {
		res := get(t, h, path)
		wantProblem(t, res, path, http.StatusServiceUnavailable, away)
		wantHeaders(t, res, "Retry-After", "2")
	}
}

func TestDatabaseIsNotMigrated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 1)
	w.exec(t, `DROP TABLE recommendation.daily`)
	w.exec(t, `DROP TABLE product.votes`)
	h := w.replica(t, time.Now)
	wantState(t, h, "/api/recommendation-status", http.StatusOK, state{Status: "degraded", DatabaseStatus: "down"})
	wantState(t, h, "/readyz", http.StatusServiceUnavailable, state{Status: "unready", Checks: map[string]string{"database": "down"}})
	for _, path := range []string{dailyPath, archivePath, picksPath, alsoLikedPath} {
		wantProblem(t, get(t, h, path), path, http.StatusServiceUnavailable, away)
	}
}

func TestAuthIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 1)
	w.issuer.Down.Store(true)
	h := w.replica(t, time.Now)
	res := get(t, h, picksPath, "Authorization", "Bearer "+w.issuer.Mint(1, token.RoleUser))
	wantProblem(t, res, picksPath, http.StatusServiceUnavailable, "tokens cannot be checked now, auth is away")
	wantHeaders(t, res, "Retry-After", "1")
	if diff := cmp.Diff(ok[[]pick](t, get(t, h, picksPath)), []pick{model(1, 0, waiting)}); diff != "" {
		t.Errorf("anonymous picks (-got +want):\n%s", diff)
	}
	wantState(t, h, "/readyz", http.StatusOK, state{Status: "ready", Checks: map[string]string{"database": "ok"}})
}

func wantState(t *testing.T, h http.Handler, path string, status int, want state) {
	t.Helper()
	res := get(t, h, path)
	var got state
	decode(t, res, &got)
	if diff := cmp.Diff(got, want); diff != "" || res.Code != status {
		t.Errorf("%s: got status %d, want %d; body (-got +want):\n%s", path, res.Code, status, diff)
	}
}

// closedAddr is an address where nobody listens.
func closedAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
