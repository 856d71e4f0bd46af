package e2e

import (
	"context"
	_ "embed"
	"net/http"
	"testing"

	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"
)

//go:embed axe/axe.min.js
var axe string

// TestAxeFindsNothing checks every page in every state, light and dark.
func TestAxeFindsNothing(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	t.Run("all services", func(t *testing.T) {
		t.Run("a visitor", func(t *testing.T) {
			t.Parallel()
			b := open(t, s, true)
			b.checkVisitorPages()
			b.checkSignIn()
		})
		t.Run("a person", func(t *testing.T) {
			t.Parallel()
			b := open(t, s, true)
			b.checkPersonPages()
			b.checkConsent(s)
		})
		t.Run("an admin", func(t *testing.T) {
			t.Parallel()
			b := open(t, s, true)
			name := b.become(s, "admin")
			b.checkPeople()
			b.checkCatalogue(s, signIn(t, b.front, name, passphrase))
		})
	})
	t.Run("without a service", func(t *testing.T) { open(t, s, true).checkWithout(s) })
}

func (b *tab) checkVisitorPages() {
	b.t.Helper()
	for _, path := range []string{
		"/", "/?sort=name", "/?show=24", "/?q=crane", "/?q=zzzzz", "/origamis/1", "/origamis/999999", "/origamis/one",
		"/daily", "/daily?month=2020-01", "/daily?date=2020-01-01", "/status", "/docs",
		"/forgot", "/reset?token=a", "/confirm?token=a",
	} {
		b.goTo(path)
		b.clean(path)
	}
	b.goTo("/")
	b.offline(true)
	b.until("the bar is there", b.js(`!document.getElementById("offline").hidden`))
	b.clean("offline")
	b.offline(false)
}

func (b *tab) checkSignIn() {
	b.t.Helper()
	b.goTo("/login?next=/origamis/1")
	b.clean("sign in")
	b.fill("#username", "nobody")
	b.fill("#password", "nothing-like-it")
	b.submit("#login-form")
	b.see("#login-form-problem", "password")
	b.clean("sign in, refused")
	b.goTo("/privacy")
	b.clean("privacy")
	b.goTo("/register")
	b.clean("register")
	b.fill("#username", "x")
	b.fill("#email", "x@x")
	b.fill("#password", "qwertyuiop")
	b.submit("#register-form")
	b.see("#password-error", "most common")
	b.clean("register, with errors")
	b.do(chromedp.Evaluate[chromedp.Void](`(() => {
		const form = Object.assign(document.createElement("form"), {method: "post", action: "/login"});
		form.append(Object.assign(document.createElement("textarea"), {name: "username", value: "x".repeat(3e6)}));
		document.body.append(form);
		form.submit();
	})()`))
	b.see("h1", "Too large")
	b.clean("too large")
}

func (b *tab) checkPersonPages() {
	b.t.Helper()
	signIn(b.t, b.front, b.join(), passphrase) // a session to end
	b.goTo("/account")
	b.see("#votes", "No votes yet")
	b.clean("account")
	b.goTo("/account/votes")
	b.clean("no votes")
	b.goTo("/origamis/1")
	b.click("#vote-button-1")
	b.see("#vote-button-1", "take the vote back")
	b.clean("product, voted for")
	const refused = "/admin" // to everybody else
	for _, path := range []string{"/", "/daily", "/account/votes", "/account/delete", refused} {
		b.goTo(path)
		b.clean(path)
	}
	b.goTo("/account")
	b.fill("#current_password", "not-my-password")
	b.fill("#new_password", passphrase+"-anew")
	b.submit("#password-form")
	b.see("#current_password-error", "is wrong")
	b.clean("account, with an error")
	b.click(".session form button")
	b.see("#sessions", "That session was signed out.")
	b.clean("account, a session ended")
}

func (b *tab) checkConsent(s *local.Stack) {
	b.t.Helper()
	const callback = "http://127.0.0.1:49152/callback"
	verifier := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
	b.do(chromedp.Navigate(application(b.t, s, callback).AuthCodeURL("", verifier)))
	b.see("h1", "Allow Paper <Birds> access?")
	b.clean("consent")
}

func (b *tab) checkPeople() {
	b.t.Helper()
	b.clean("admin")
	for path, shows := range map[string]string{"/admin/people": "Disable", "/admin/people?q=zzzzz": "No people found"} {
		b.goTo(path)
		b.see("main", shows)
		b.clean(path)
	}
	b.goTo("/admin/people?q=user@example.com")
	b.click(".one-person [id^=state]")
	b.see(".badge-off", "disabled")
	b.clean("somebody is disabled")
}

func (b *tab) checkCatalogue(s *local.Stack, other *http.Client) {
	b.t.Helper()
	for _, path := range []string{
		"/admin/pieces", "/admin/pieces?q=zzzzz", "/admin/pieces/new", "/admin/pieces/2/edit", "/admin/pieces/2/delete",
		"/origamis/2",
	} {
		b.goTo(path)
		b.clean(path)
	}
	b.goTo("/admin/pieces/new")
	for _, field := range []string{"#name", "#description", "#folds", "#paper"} {
		b.fill(field, "many")
	}
	b.choose("#difficulty", "advanced")
	b.submit("#piece-form")
	b.see("#folds-error", "must")
	b.clean("new product, with errors")
	b.goTo("/admin/pieces/3/edit")
	editName(b.t, s, other, "3", "Their name")
	b.submit("#piece-form")
	b.see("#conflict-heading", "Somebody else")
	b.clean("conflict")
	b.submit("#piece-form")
	b.see("#done", "was saved.")
	b.clean("saved")
}

// checkWithout stops one service after the other.
func (b *tab) checkWithout(s *local.Stack) {
	b.t.Helper()
	b.join()
	for _, row := range []struct {
		part  string
		shows map[string]string
	}{
		{"recommendation", map[string]string{
			"/": "Recommendations are not available", "/daily": "Try again", "/origamis/1": "Related pieces are not available",
			"/status": "Recommendation: down",
		}},
		{"product", map[string]string{
			"/": "The gallery is not available", "/origamis/2": "Not available right now",
			"/account": "Your votes are not available",
			"/status":  "Catalogue: down",
		}},
		{"auth", map[string]string{
			"/account": "Your sessions are not available", "/status": "Authentication, Recommendation, Catalogue: down",
		}},
	} {
		b.goTo("/")
		if err := s.StopPart(row.part); err != nil {
			b.t.Fatal(err)
		}
		if row.part == "product" {
			b.click(".vote-button")
			b.see(".vote .notice", "Please try again")
			b.clean("a vote without " + row.part)
		}
		for path, shows := range row.shows {
			b.until(path+" shows "+shows, func(context.Context) bool {
				b.goTo(path)
				return b.js(`document.querySelector("main").textContent.includes("` + shows + `")`)(b.ctx)
			})
			b.clean(path + " without " + row.part)
		}
	}
	b.goTo("/register?next=/")
	b.clean("register without auth")
}

// clean checks that axe finds nothing: all its rules in light, colours in dark.
func (b *tab) clean(what string) {
	b.t.Helper()
	b.loaded()
	if !b.js(`"axe" in window`)(b.ctx) {
		b.do(chromedp.Evaluate[chromedp.Void](axe + "\nundefined"))
	}
	for scheme, rules := range map[string]string{
		"light": `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`,
		"dark":  `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`,
	} {
		b.prefer(scheme)
		b.until("nothing moves", b.js(`!document.querySelector(".htmx-request") &&
			document.getAnimations().length === 0`))
		violations := `axe.run({runOnly: ` + rules + `, resultTypes: ["violations"]}).then(found =>
			found.violations.flatMap(v => v.nodes.map(n => v.id + " at " + n.target + ": " + n.failureSummary)))`
		found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](violations, chromedp.EvalAwaitPromise))
		if err != nil {
			b.t.Fatalf("%s, %s: %v", what, scheme, err)
		}
		for _, one := range found {
			b.t.Errorf("%s, %s: %s", what, scheme, one)
		}
	}
}
