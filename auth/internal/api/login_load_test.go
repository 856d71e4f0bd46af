package api_test

import (
	"net/http"
	"strings"
	"testing"

	"craftista/auth/internal/account"
	"craftista/shared/waittest"

	"golang.org/x/crypto/bcrypt"
)

// TestStrangersDoNotStarveWhoIsSignedIn has a service whose hashing is all in use by
// strangers.
func TestStrangersDoNotStarveWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	hasher := account.NewHasher(bcrypt.MinCost, 1, 8)
	s := start(t, setup{hasher: hasher})
	s.person(t)
	s.register(t, "Fox", "fox@example.com", password)
	mine := s.tokens(t)
	*hasher = *account.NewHasher(bcrypt.MinCost, 0, 0)
	bearer := []string{"Authorization", "Bearer " + mine.Access}
	wantStatus(t, "a stranger", s.login(t, "Crane", password), http.StatusServiceUnavailable)
	wantStatus(t, "a bad token", s.login(t, "Crane", password, "Authorization", "Bearer x"), http.StatusServiceUnavailable)
	wantStatus(t, "somebody else", s.login(t, "Fox", password, bearer...), http.StatusServiceUnavailable)
	wantStatus(t, "again", s.login(t, "Crane", password, bearer...), http.StatusOK)
	wantStatus(t, "a wrong password", s.login(t, "Crane", wrong, bearer...), http.StatusUnauthorized)
	wantNoContent(t, "a new password", s.changePassword(t, mine.Access, password, newPassword))
}

// TestManySignInsAreBounded sends 200 sign-ins at once to a service that hashes one
// password at a time and lets 8 wait. Everything else is answered meanwhile.
func TestManySignInsAreBounded(t *testing.T) {
	t.Parallel()
	const all = 200
	s := start(t, setup{hasher: account.NewHasher(bcrypt.DefaultCost, 1, 8)})
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

	for _, path := range []string{"/livez", "/readyz", jwksPath, statusPath} {
		var a answer
		waittest.Until(t, path+" is answered", func() bool { // a busy machine may check the database for too long
			a = s.getAs(t, mine.Access, path)
			return a.Status == http.StatusOK
		})
		equal(t, "signed out", strings.Contains(a.Body, `"authenticated":false`), false)
	}
	wantStatus(t, refreshPath, s.refresh(t, mine.Refresh), http.StatusOK)
	equal(t, "all sign-ins are over, so something waited for them", len(done), 0)
	got := <-done
	equal(t, "answers", got[http.StatusUnauthorized]+got[http.StatusServiceUnavailable], all)
	if got[http.StatusUnauthorized] == 0 {
		t.Errorf("nobody was answered: %v", got)
	}
}
