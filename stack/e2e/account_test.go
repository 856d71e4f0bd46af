package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
)

// TestAccount changes the password and ends sessions, with JavaScript and without.
func TestAccount(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	front := s.URLs["frontend"]
	withAndWithoutScript(t, s, func(t *testing.T, b *tab, script bool) {
		const next = "folded-once-more-by-the-tests"
		name := b.join()
		other := signIn(t, front, name, passphrase)
		b.goTo("/origamis/2")
		b.click("#vote-button-2")
		b.see("#vote-button-2", "take the vote back")
		b.click(".own-first")
		b.at("/account")
		b.see("#votes", "take the vote back")
		b.click("#vote-button-2")
		if script {
			b.lacks("#vote-button-2", "take the vote back")
			b.goTo("/account")
		}
		b.see("#votes", "No votes yet")
		b.see("#profile", name+"@example.com")
		b.see("#sessions", "Go-http-client")
		b.click(".session form button")
		b.see("#sessions", "That session was signed out.")
		b.lacks("#sessions", "Go-http-client")
		if script {
			b.focused("className", "done")
		}
		wantSignedOut(t, other, front)

		other = signIn(t, front, name, passphrase)
		b.fill("#current_password", "not-my-password")
		b.fill("#new_password", next)
		b.submit("#password-form")
		b.see("#password-form", "Current password is wrong")
		b.fill("#current_password", passphrase)
		b.fill("#new_password", next)
		b.submit("#password-form")
		b.see("#password-form", "Your password was changed")
		wantSignedOut(t, other, front)

		other = signIn(t, front, name, next)
		b.goTo("/account")
		b.click("#end-all")
		b.see(".site-nav", "Sign in")
		wantSignedOut(t, other, front)
		b.goTo("/account")
		b.at("/login?next=%2Faccount")
	})
}

// TestPasswordIsShown while it is typed, and not any more when it is sent.
func TestPasswordIsShown(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	withAndWithoutScript(t, s, func(t *testing.T, b *tab, script bool) {
		b.goTo("/login")
		if !script {
			b.holds("there is no button", `document.querySelector(".show-password").hidden`)
			return
		}
		state := func(kind, pressed string) {
			t.Helper()
			b.until("the password is of type "+kind, b.js(fmt.Sprintf(`document.querySelector("#password").type === %q &&
				document.querySelector(".show-password").getAttribute("aria-pressed") === %q`, kind, pressed)))
		}
		b.fill("#username", "nobody")
		b.fill("#password", "nothing-like-it")
		b.click(".show-password")
		state("text", "true")
		b.click(".show-password")
		state("password", "false")
		b.click(".show-password")
		b.submit("#login-form")
		b.see("#login-form-problem", "password")
		state("password", "false")
		b.click(".show-password") // in the form that came anew
		state("text", "true")
		b.do(chromedp.Evaluate[chromedp.Void](`document.addEventListener("submit", () => {
			window.sent = document.querySelector("#password").type;
		}, true)`))
		b.fill("#password", "nothing-like-it")
		b.submit("#login-form")
		b.until("it was hidden when it was sent", b.js(`window.sent === "password"`))
	})
}

// TestAdminDisablesAPerson gives them a role besides, with JavaScript and without.
func TestAdminDisablesAPerson(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	front := s.URLs["frontend"]
	withAndWithoutScript(t, s, func(t *testing.T, b *tab, script bool) {
		b.become(s, "admin")
		person := open(t, s, false).join()
		device := signIn(t, front, person, passphrase)
		var id int64
		const query = `SELECT id FROM auth.users WHERE username = $1`
		if err := openDatabase(t, s.Config.DatabaseURL).GetContext(t.Context(), &id, query, person); err != nil {
			t.Fatal(err)
		}
		b.click(".doors a")
		b.fill("#q", person)
		b.submit(".search")
		b.see(".people", person)
		b.choose(fmt.Sprintf("#role-%d", id), "curator")
		b.click(fmt.Sprintf("#give-%d", id))
		b.see(".people", "· Curator ·")
		b.click(fmt.Sprintf("#state-%d", id))
		b.see(".badge-off", "disabled")
		if script {
			b.see("#announcer", person+" is disabled.")
			b.focused("id", fmt.Sprintf("state-%d", id))
		}
		wantSignedOut(t, device, front)
		form := url.Values{"username": {person}, "password": {passphrase}}
		got := do(t, http.DefaultClient, post(t, front+"/login", form))
		if got.Status != http.StatusUnauthorized {
			t.Errorf("the person signs in: %d", got.Status)
		}
		b.click(fmt.Sprintf("#state-%d", id))
		b.see(fmt.Sprintf("#state-%d", id), "Disable")
		signIn(t, front, person, passphrase)
	})
}

// TestStatusPageIsLive stops Redis while the page is open.
func TestStatusPageIsLive(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	b, plain := open(t, s, true), open(t, s, false)
	for _, one := range []*tab{b, plain} {
		one.goTo("/status")
		one.see("#summary", "All services are up.")
		one.see("#box-redis", "up")
		one.see("#box-traces", "up")
	}
	if err := s.StopPart("cache"); err != nil {
		t.Fatal(err)
	}
	b.see("#summary", "Redis: down. Catalogue: degraded.") // without a reload
	plain.click(".section-head a")
	plain.see("#summary", "Redis: down. Catalogue: degraded.")
	b.goTo("/")
	b.see("#pieces", "Paper crane") // which does without Redis
}
