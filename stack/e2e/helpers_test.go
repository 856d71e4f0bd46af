// Package e2e tests the whole of Craftista as its users meet it: over HTTP, in a
// real browser, and while parts of it are unavailable or killed.
package e2e

import (
	"crypto/rand"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/stack/internal/local"

	"github.com/jmoiron/sqlx"
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

// passphrase is every new person's password.
const passphrase = "folded-by-the-tests"

// newName is a username that is not taken.
func newName() string { return "e2e-" + strings.ToLower(rand.Text()[:12]) }

// signUp returns a client in which a new person is signed in to the site. It has
// a cookie jar and follows no redirect. (The demo accounts' passwords take long to
// check, too long under the race detector.)
func signUp(t *testing.T, front string) *http.Client {
	t.Helper()
	name := newName()
	form := url.Values{"username": {name}, "email": {name + "@example.com"}, "password": {passphrase}}
	return signedIn(t, front+"/register", form)
}

// signIn returns another device of the person, like signUp's.
func signIn(t *testing.T, front, name, password string) *http.Client {
	t.Helper()
	return signedIn(t, front+"/login", url.Values{"username": {name}, "password": {password}})
}

func signedIn(t *testing.T, url string, form url.Values) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client := &http.Client{Jar: jar, CheckRedirect: noRedirect}
	if got := do(t, client, post(t, url, form)); got.Status != http.StatusSeeOther {
		t.Fatalf("%s answers %d: %.300s", url, got.Status, got.Body)
	}
	return client
}

// wantSignedOut fails the test unless the device's session has ended.
func wantSignedOut(t *testing.T, client *http.Client, front string) {
	t.Helper()
	got := do(t, client, get(t, front+"/account"))
	to, left := got.Header.Get("Location"), cookies(t, client, front)
	maps.DeleteFunc(left, func(_, value string) bool { return value == "ended" }) // a note for the page of the sign-in
	if got.Status != http.StatusSeeOther || !strings.HasPrefix(to, "/login?") || len(left) != 0 {
		t.Errorf("the other device's account answers %d, to %q, with %d cookies", got.Status, to, len(left))
	}
}

// cookies are the client's for the site, by name.
func cookies(t *testing.T, client *http.Client, front string) map[string]string {
	t.Helper()
	u, err := url.Parse(front)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, c := range client.Jar.Cookies(u) {
		values[c.Name] = c.Value
	}
	return values
}

// join registers a new person in the browser and returns the name.
func (b *tab) join() string {
	b.t.Helper()
	b.goTo("/register")
	name := newName()
	b.register(name)
	return name
}

// register fills in and sends the form on the page.
func (b *tab) register(name string) {
	b.t.Helper()
	b.fill("#username", name)
	b.fill("#email", name+"@example.com")
	b.fill("#password", passphrase)
	b.submit("#register-form")
	b.see(".site-nav", "Sign out")
}

// login fills in and sends the form on the page.
func (b *tab) login(name string) {
	b.t.Helper()
	b.fill("#username", name)
	b.fill("#password", passphrase)
	b.submit("#login-form")
}

func (b *tab) logout() {
	b.t.Helper()
	b.submit(`form[action="/logout"]`)
	b.see(".site-nav", "Sign in")
}

// become makes a new person a curator or an admin, leaves the browser at /admin
// and returns the name.
func (b *tab) become(s *local.Stack, role string) string {
	b.t.Helper()
	name := b.join()
	const promote = `UPDATE auth.users SET role = $1 WHERE username = $2`
	if _, err := openDatabase(b.t, s.Config.DatabaseURL).ExecContext(b.t.Context(), promote, role, name); err != nil {
		b.t.Fatal(err)
	}
	b.logout()
	b.goTo("/login?next=/admin")
	b.login(name)
	b.see("h1", "Admin")
	return name
}

// openDatabase is the database behind url until the test ends. A stack that runs elsewhere has no url.
func openDatabase(t *testing.T, url string) *sqlx.DB {
	t.Helper()
	if url == "" {
		t.Skip("needs the database of the site at E2E_SITE_URL")
	}
	db, err := pg.Open(url, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
