package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
)

// join registers a new person in the browser and returns the name.
func (b *tab) join() string {
	b.t.Helper()
	name := newcomer()
	b.goTo("/register")
	b.fill("#username", name)
	b.fill("#email", name+"@example.com")
	b.fill("#password", passphrase)
	b.submit("#register-form")
	b.see(".site-nav", "Sign out")
	return name
}

// elsewhere signs the person in on another device, which follows no redirect.
func elsewhere(t *testing.T, front, name, password string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if got := do(t, client, post(t, front+"/login", url.Values{"username": {name}, "password": {password}})); got.Status != http.StatusSeeOther {
		t.Fatalf("sign-in elsewhere: %d %.300s", got.Status, got.Body)
	}
	return client
}

// isOut fails the test unless the device's session is over.
func isOut(t *testing.T, client *http.Client, front string) {
	t.Helper()
	got := do(t, client, get(t, front+"/account"))
	if got.Status != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "/login?") || len(cookies(t, client, front)) != 0 {
		t.Errorf("elsewhere the account answers %d, to %q, with %d cookies", got.Status, got.Header.Get("Location"), len(cookies(t, client, front)))
	}
}

// TestAccount changes the password and ends sessions, with JavaScript and without.
func TestAccount(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	front := s.URLs["frontend"]
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script=%v", script), func(t *testing.T) {
			t.Parallel()
			const next = "folded-once-more-by-the-tests"
			b := open(t, s, script)
			name := b.join()
			other := elsewhere(t, front, name, passphrase)
			b.goTo("/origamis/2")
			b.click("#vote-button-2")
			b.see("#vote-button-2", "take the vote back")
			b.click(".own-first")
			b.at("/account")
			b.see("#votes", "take the vote back")
			b.click("#vote-button-2")
			if script {
				b.gone("#vote-button-2", "take the vote back")
				b.goTo("/account")
			}
			b.see("#votes", "No votes yet")
			b.see("#profile", name+"@example.com")
			b.see("#sessions", "Go-http-client")
			b.click(".session form button")
			b.see("#sessions", "That session is ended.")
			b.gone("#sessions", "Go-http-client")
			if script {
				b.focused("className", "done")
			}
			isOut(t, other, front)

			other = elsewhere(t, front, name, passphrase)
			b.fill("#current_password", "not-my-password")
			b.fill("#new_password", next)
			b.submit("#password-form")
			b.see("#password-form", "Current password is not your password")
			b.fill("#current_password", passphrase)
			b.fill("#new_password", next)
			b.submit("#password-form")
			b.see("#password-form", "Your password is changed")
			isOut(t, other, front)

			other = elsewhere(t, front, name, next)
			b.goTo("/account")
			b.click("#end-all")
			b.see(".site-nav", "Sign in")
			isOut(t, other, front)
			b.goTo("/account")
			b.at("/login?next=%2Faccount")
		})
	}
}

// focused waits until what has the focus has that id or className.
func (b *tab) focused(property, want string) {
	b.t.Helper()
	b.until("the focus is on "+want, func(ctx context.Context) bool {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.activeElement.`+property))
		return err == nil && got == want
	})
}

// TestAdminKeepsSomebodyOut disables a person and gives a role, with JavaScript and
// without.
func TestAdminKeepsSomebodyOut(t *testing.T) {
	t.Parallel()
	var database string
	s := stacktest.Start(t, func(c *local.Config) { database = c.DatabaseURL })
	front := s.URLs["frontend"]
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script=%v", script), func(t *testing.T) {
			t.Parallel()
			b := open(t, s, script)
			admin, victim := b.join(), open(t, s, false).join()
			id := promote(t, database, admin, victim)
			device := elsewhere(t, front, victim, passphrase)
			b.submit(`form[action="/logout"]`)
			b.see(".site-nav", "Sign in")
			b.goTo("/login?next=/admin")
			b.fill("#username", admin)
			b.fill("#password", passphrase)
			b.submit("#login-form")
			b.click(".doors a")
			b.fill("#q", victim)
			b.submit(".search")
			b.see(".people", victim)
			b.choose(fmt.Sprintf("#role-%d", id), "curator")
			b.click(fmt.Sprintf("#give-%d", id))
			b.see(".people", "· Curator ·")
			b.click(fmt.Sprintf("#state-%d", id))
			b.see(".badge-off", "disabled")
			if script {
				b.see("#announcer", victim+" is disabled.")
				b.focused("id", fmt.Sprintf("state-%d", id))
			}
			isOut(t, device, front)
			got := do(t, http.DefaultClient, post(t, front+"/login", url.Values{"username": {victim}, "password": {passphrase}}))
			if got.Status != http.StatusUnauthorized {
				t.Errorf("the person signs in: %d", got.Status)
			}
			b.click(fmt.Sprintf("#state-%d", id))
			b.see(fmt.Sprintf("#state-%d", id), "Disable")
			elsewhere(t, front, victim, passphrase)
		})
	}
}

// promote makes the one an admin, and returns the other's id.
func promote(t *testing.T, database, admin, other string) (id int64) {
	t.Helper()
	db, err := pg.Open(database, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), `UPDATE auth.users SET role = 'admin' WHERE username = $1`, admin); err != nil {
		t.Fatal(err)
	}
	if err := db.GetContext(t.Context(), &id, `SELECT id FROM auth.users WHERE username = $1`, other); err != nil {
		t.Fatal(err)
	}
	return id
}

// TestThePictureIsLive loses Redis while somebody looks at the status page.
func TestThePictureIsLive(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	b, plain := open(t, s, true), open(t, s, false)
	for _, one := range []*tab{b, plain} {
		one.goTo("/status")
		one.see("#summary", "All is well.")
		one.see("#box-redis", "up")
		one.see("#box-traces", "up")
	}
	if err := s.StopPart("cache"); err != nil {
		t.Fatal(err)
	}
	b.see("#summary", "Redis: down. Catalogue: degraded.") // by itself
	plain.click(".section-head a")
	plain.see("#summary", "Redis: down. Catalogue: degraded.")
	b.goTo("/")
	b.see("#pieces", "Paper crane") // which goes on without it
}
