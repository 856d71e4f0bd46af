package api_test

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"craftista/auth/internal/account"
)

// TestLoginRushIsBounded sends 200 sign-ins at once to a service that hashes on
// every core and lets 8 wait, and asks everything else meanwhile.
func TestLoginRushIsBounded(t *testing.T) {
	t.Parallel()
	const all = 200
	s := start(t, setup{hasher: account.NewHasher(7, runtime.GOMAXPROCS(0), 8)})
	s.person(t)
	mine := s.tokens(t)
	bearer, raw := "Bearer "+mine.Access, mine.Refresh
	refused := make(chan struct{}, all)
	rush := s.rush(t, all, refused)
	select {
	case <-refused: // so every worker is busy and others wait
	case <-time.After(30 * time.Second):
		t.Error("nobody was refused")
	}
	slowest := map[string]time.Duration{}
	var got map[int]int
	for got == nil { // at least once
		s.time(t, slowest, bearer)
		begin := time.Now()
		raw = s.refreshed(t, raw).Refresh
		slowest[refreshPath] = max(slowest[refreshPath], time.Since(begin))
		select {
		case got = <-rush:
		default:
		}
	}
	if got[http.StatusUnauthorized] < 8 || got[http.StatusServiceUnavailable] < 1 ||
		got[http.StatusUnauthorized]+got[http.StatusServiceUnavailable] != all {
		t.Errorf("how often each status: %v, want some 401, some 503, %d in all", got, all)
	}
	for path, took := range slowest {
		if took > 2*time.Second { // readiness probes give up then
			t.Errorf("%s took %v during the rush", path, took)
		}
	}
	t.Logf("statuses %v, slowest answers %v", got, slowest)
}

// rush sends that many sign-ins at once. It tells of each that is refused, and in
// the end how often there was each status.
func (s *service) rush(t *testing.T, all int, refused chan<- struct{}) <-chan map[int]int {
	done := make(chan map[int]int, 1)
	go func() {
		done <- atOnce(all, func(int) int {
			a := s.login(t, "nobody", password)
			if a.Status == http.StatusServiceUnavailable {
				if a.Header.Get("Retry-After") != "2" || !strings.Contains(a.Body, "too many people are signing in at once") {
					t.Errorf("503 with Retry-After %q: %s", a.Header.Get("Retry-After"), a.Body)
				}
				refused <- struct{}{}
			}
			return a.Status
		})
	}()
	return done
}

// time asks for what needs no password and keeps how long the slowest answer took.
func (s *service) time(t *testing.T, slowest map[string]time.Duration, bearer string) {
	t.Helper()
	for _, path := range []string{"/livez", "/readyz", "/.well-known/jwks.json", statusPath} {
		begin := time.Now()
		if a := s.get(t, path, "Authorization", bearer); a.Status != http.StatusOK || strings.Contains(a.Body, `"authenticated":false`) {
			t.Errorf("%s during the rush: %d %s", path, a.Status, a.Body)
		}
		slowest[path] = max(slowest[path], time.Since(begin))
	}
}
