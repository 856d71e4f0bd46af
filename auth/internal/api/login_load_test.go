package api_test

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"craftista/auth/internal/account"
)

// TestManySignInsAreBounded sends 200 sign-ins at once to a service that hashes on
// every core and lets 8 wait, and measures everything else meanwhile.
func TestManySignInsAreBounded(t *testing.T) {
	t.Parallel()
	const all = 200
	s := start(t, setup{hasher: account.NewHasher(7, runtime.GOMAXPROCS(0), 8)})
	s.person(t)
	mine := s.tokens(t)
	refused, done := make(chan answer, all), make(chan map[int]int, 1)
	go func() {
		done <- atOnce(all, func(int) int {
			a := s.login(t, "nobody", password)
			if a.Status == http.StatusServiceUnavailable {
				refused <- a
			}
			return a.Status
		})
	}()
	first := <-refused // so every worker is busy and others wait
	wantProblem(t, first, 503, loginPath, "too many people are signing in at once, try again shortly")
	equal(t, "Retry-After", first.Header.Get("Retry-After"), "2")

	slowest := map[string]time.Duration{}
	measure := func(path string, ask func() answer) (a answer) {
		begin := time.Now()
		a = ask()
		slowest[path] = max(slowest[path], time.Since(begin))
		wantStatus(t, path, a, http.StatusOK)
		return a
	}
	var got map[int]int
	for got == nil { // at least once
		for _, path := range []string{"/livez", "/readyz", jwksPath, statusPath} {
			a := measure(path, func() answer { return s.getAs(t, mine.Access, path) })
			equal(t, "signed out", strings.Contains(a.Body, `"authenticated":false`), false)
		}
		mine = read[tokens](t, measure(refreshPath, func() answer { return s.refresh(t, mine.Refresh) }))
		select {
		case got = <-done:
		default:
		}
	}
	equal(t, "answers", got[http.StatusUnauthorized]+got[http.StatusServiceUnavailable], all)
	if got[http.StatusUnauthorized] < 8 {
		t.Errorf("how often each status: %v, want at least the 8 that could wait", got)
	}
	for path, took := range slowest {
		if took > 2*time.Second { // readiness probes give up then
			t.Errorf("%s took %v meanwhile", path, took)
		}
	}
	t.Logf("statuses %v, slowest answers %v", got, slowest)
}
