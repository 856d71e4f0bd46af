// Package e2e drives the whole of Craftista as its users do: over HTTP, in a
// real browser, and while parts of it are missing or killed.
package e2e

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// reply is an answer, read whole.
type reply struct {
	Status int
	Header http.Header
	Body   string
}

func do(t *testing.T, client *http.Client, r *http.Request) reply {
	t.Helper()
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(text)}
}

func get(t *testing.T, url string) *http.Request { return request(t, http.MethodGet, url, nil) }

// post sends a form, as a page of the site itself does.
func post(t *testing.T, url string, form url.Values) *http.Request {
	return request(t, http.MethodPost, url, form)
}

func request(t *testing.T, method, url string, form url.Values) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return r
}

// passphrase is every newcomer's password.
const passphrase = "folded-by-the-tests"

// newcomer is a username that nobody has.
func newcomer() string { return "e2e-" + strings.ToLower(rand.Text()[:12]) }

// browse returns a client in which a new person is signed in to the site. It
// keeps cookies and follows no redirect. (The demo accounts' passwords are
// hashed to take long, too long under the race detector.)
func browse(t *testing.T, front string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	name := newcomer()
	got := do(t, client, post(t, front+"/register", url.Values{"username": {name}, "email": {name + "@example.com"}, "password": {passphrase}}))
	if got.Status != http.StatusSeeOther {
		t.Fatalf("registration answers %d: %.300s", got.Status, got.Body)
	}
	return client
}
