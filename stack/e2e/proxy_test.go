package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestVisitorsBehindAProxyCountApart, and alike at the site and at auth: each address has one free failure. The test is
// the proxy, and what stands before the last address a visitor has made up.
func TestVisitorsBehindAProxyCountApart(t *testing.T) {
	t.Parallel()
	auth, _, _, front := startProcesses(t,
		"TRUSTED_PROXIES=127.0.0.0/8, ::1/128", "THROTTLE_ADDRESS_FREE=1", "THROTTLE_FIRST=15m", "THROTTLE_ADMISSION=15m")
	guess := func(r *http.Request, forwarded string, want int) {
		t.Helper()
		r.Header.Set("X-Forwarded-For", forwarded)
		if got := do(t, http.DefaultClient, r); got.Status != want {
			t.Errorf("%s for %s answers %d, want %d: %.300s", r.URL, forwarded, got.Status, want, got.Body)
		}
	}
	site := func() *http.Request {
		return post(t, front.url+"/login", url.Values{"username": {newName()}, "password": {passphrase}})
	}
	script := func() *http.Request {
		body := strings.NewReader(`{"username": "` + newName() + `", "password": "` + passphrase + `"}`)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, auth.url+"/api/auth/login", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		return r
	}
	guess(site(), "203.0.113.1", http.StatusUnauthorized)
	guess(site(), "203.0.113.1", http.StatusTooManyRequests)
	guess(site(), "203.0.113.9, 203.0.113.1", http.StatusTooManyRequests)
	guess(script(), "203.0.113.9, 203.0.113.1", http.StatusTooManyRequests)
	guess(script(), "203.0.113.2", http.StatusUnauthorized)
	guess(site(), "203.0.113.2", http.StatusTooManyRequests)
	guess(site(), "2001:db8::1", http.StatusUnauthorized)
}
