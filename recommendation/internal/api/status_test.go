package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	statusPath  = "/api/recommendation-status"
	unavailable = "a service that this needs is not responding, try again shortly"
)

type state struct {
	Status         string            `json:"status"`
	DatabaseStatus string            `json:"database_status"`
	Checks         map[string]string `json:"checks"`
}

func TestDatabaseIsAvailable(t *testing.T) {
	t.Parallel()
	h := newFixture(t).replica(t, time.Now)
	wantState(t, h, statusPath, http.StatusOK, state{Status: "operational", DatabaseStatus: "operational"})
	wantState(t, h, "/readyz", http.StatusOK, state{Status: "ready", Checks: map[string]string{"database": "ok"}})
}

func TestDatabaseIsUnreachable(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.url = "postgres://craftista_recommendation:hidden@127.0.0.1:1/craftista?sslmode=disable" // a closed port
	h := f.replica(t, time.Now)
	wantDown(t, h)
	wantState(t, h, "/livez", http.StatusOK, state{Status: "alive"})
	wantState(t, h, "/health", http.StatusOK, state{Status: "ok"})
	wantHeaders(t, get(t, h, dailyPath), "Retry-After", "2")
}

func TestDatabaseIsNotMigrated(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 1)
	f.exec(t, `DROP TABLE recommendation.daily, product.votes`)
	wantDown(t, f.replica(t, time.Now))
}

func wantDown(t *testing.T, h http.Handler) {
	t.Helper()
	wantState(t, h, statusPath, http.StatusOK, state{Status: "degraded", DatabaseStatus: "down"})
	unready := state{Status: "unready", Checks: map[string]string{"database": "down"}}
	wantState(t, h, "/readyz", http.StatusServiceUnavailable, unready)
	for _, path := range []string{dailyPath, archivePath, picksPath, alsoLikedPath} {
		wantProblem(t, get(t, h, path), path, http.StatusServiceUnavailable, unavailable)
	}
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
