package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"craftista/stack/internal/stacktest"
)

// TestGuessingIsSlowedDown tries passwords on the site and then past it.
func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	front := s.URLs["frontend"]
	session := browse(t, front) // somebody else at the same address
	name := newcomer()
	do(t, http.DefaultClient, post(t, front+"/register", url.Values{"username": {name}, "email": {name + "@example.com"}, "password": {passphrase}}))
	guess := func(change func(*http.Request)) reply {
		r := post(t, front+"/login", url.Values{"username": {name}, "password": {"not-the-password"}})
		change(r)
		return do(t, http.DefaultClient, r)
	}
	last := guess(func(*http.Request) {})
	for range 8 {
		last = guess(func(r *http.Request) {
			r.Header.Set("X-Forwarded-For", "192.0.2.7")
			r.Header.Set("X-Client-Address", "192.0.2.8")
		})
	}
	if last.Status != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" || !strings.Contains(last.Body, "Too many tries") {
		t.Errorf("the ninth guess answers %d with %v", last.Status, last.Header)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URLs["auth"]+"/api/auth/login",
		strings.NewReader(`{"username":"`+name+`","password":"not-the-password"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Client-Address", "192.0.2.9")
	if got := do(t, http.DefaultClient, r); got.Status != http.StatusTooManyRequests {
		t.Errorf("past the site, under an address of one's own making: %d", got.Status)
	}
	if got := do(t, session, post(t, front+"/origamis/1/vote", url.Values{})); got.Status != http.StatusSeeOther {
		t.Errorf("who is signed in already gets %d for a vote", got.Status)
	}
}
