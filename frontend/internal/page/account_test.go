package page_test

import (
	"net/url"
	"strings"
	"testing"

	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/net/html"
)

// here is person 7 in the session 3, with that role.
func (w *website) here(role string) option {
	return with(w.issuer.MintWith(7, role, func(_ *jwt.Token, c *token.Claims) { c.Session = "3" }), "r0")
}

// application is an application with a token of its own.
func (w *website) application() option {
	return as(w.issuer.MintWith(7, token.RoleAdmin, func(_ *jwt.Token, c *token.Claims) {
		c.ClientID, c.Scope = "birds", "openid"
	}))
}

func passwords(current, replacement string) url.Values {
	return url.Values{"current_password": {current}, "new_password": {replacement}}
}

func texts(a answer, tag, class string) []string {
	var all []string
	for _, n := range a.tags(tag) {
		if class == "" || strings.Contains(attr(n, "class"), class) {
			all = append(all, text(n))
		}
	}
	return all
}

func TestAccountNeedsSignIn(t *testing.T) {
	w := startWebsite(t)
	for name, row := range map[string]struct {
		who option
		why string
	}{
		"nobody": {nobody, ""}, "a session that ended": {as("ended"), "&why=expired"},
		"an application": {w.application(), "&why=expired"},
	} {
		for _, path := range []string{"/account", "/account/votes", "/account/export", "/account/delete", "/admin",
			"/admin/people"} {
			want := "/login?next=" + url.QueryEscape(path+"?q=x") + row.why
			a := w.get(path+"?q=x", row.who)
			a.check(t, name+" at "+path, 303, a.header.Get("Location"), want)
		}
		for _, path := range []string{
			"/account/password", "/account/email", "/account/email/verification", "/account/delete",
			"/account/sessions/4/end", "/account/sessions/end-others", "/account/sessions/end-all",
			"/admin/people/8/role", "/admin/people/8/disabled", "/admin/people/8/reset",
		} {
			want := "/login?next=%2Faccount" + row.why
			a := w.post(path, nil, row.who, w.byHtmx("/account"))
			a.check(t, name+" at "+path, 204, a.header.Get("HX-Redirect"), want)
		}
	}
	check(t, "sessions were ended", len(w.ended), 0)
	check(t, "why", text(w.get("/login?next=/account").class("why")),
		"Please sign in to continue.")
}

func TestAccountShowsThePerson(t *testing.T) {
	w := startWebsite(t)
	w.mine[1], w.mine[2] = true, true
	a := w.get("/account", w.here("user"))
	a.check(t, "the page", 200,
		text(a.class("site-nav")), "Gallery Today Status Your account: person-7 Sign out",
		text(a.id("piece-2")), "Fox Advanced 1 vote Voted for Fox, take the vote back",
		texts(a, "dd", ""), []string{"person-7", "seven@example.com not confirmed", "Curator", "2 January 2026"},
		texts(a, "li", "session"), []string{
			"Firefox on Linux this device Since 20 November 2026, 08:30 UTC, last used 22 November 2026, 09:00 UTC",
			"A browser Since 20 November 2026, 08:30 UTC, last used 20 November 2026, 08:30 UTC Sign out A browser of " +
				"20 November 2026, 08:30 UTC",
			"The application <b>Birds</b> Since 20 November 2026, 08:30 UTC, last used 20 November 2026, 08:30 UTC " +
				"Sign out <b>Birds</b> of 20 November 2026, 08:30 UTC",
		},
		texts(a, "button", "button-small"), []string{
			"Send confirmation e-mail",
			"Sign out A browser of 20 November 2026, 08:30 UTC",
			"Sign out <b>Birds</b> of 20 November 2026, 08:30 UTC",
			"Sign out other devices", "Sign out everywhere",
		},
		attr(a.class("own-first"), "aria-current"), "page",
		a.body, lacks("<b>Birds"))
}

// TestPasswordManagersFindTheirWay to the form, which says whose password it changes.
func TestPasswordManagersFindTheirWay(t *testing.T) {
	w := startWebsite(t)
	to := w.get("/.well-known/change-password")
	to.check(t, "the well-known URL", 303, to.header.Get("Location"), "/account#password")
	whole := w.get("/account", w.here("user"))
	part := w.post("/account/password", passwords("guess", "eight paper cranes"), w.here("user"), w.byHtmx("/account"))
	for name, a := range map[string]answer{"the page": whole, "the form, refused": part} {
		username := a.id("password-form-username")
		check(t, name, attr(username, "autocomplete"), "username", attr(username, "value"), "person-7",
			attr(username, "name"), "", hasAttr(username, "hidden"), true)
		current, replacement := a.id("current_password"), a.id("new_password")
		check(t, name, attr(current, "autocomplete"), "current-password", attr(replacement, "autocomplete"), "new-password")
		checkLengths(t, name, current, "", "")
		checkLengths(t, name, replacement, "10", "512")
	}
	checkLengths(t, "registration", w.get("/register").id("password"), "10", "512")
	checkLengths(t, "sign-in", w.get("/login").id("password"), "", "")
}

// checkLengths holds what a browser lets somebody type: whatever there may be.
func checkLengths(t *testing.T, name string, input *html.Node, least, most string) {
	t.Helper()
	check(t, name, attr(input, "minlength"), least, attr(input, "maxlength"), most)
}

func TestMyVotes(t *testing.T) {
	w := startWebsite(t)
	none := w.get("/account/votes", w.here("user"))
	check(t, "without votes", text(none.class("away-heading")), "No votes yet")
	w.mine[1], w.mine[2], w.mine[404] = true, true, true // one is deleted
	a := w.get("/account/votes", w.here("user"))
	check(t, "the answer", texts(a, "h3", ""), []string{"Fox"}, attr(a.id("more-link"), "href"),
		"/account/votes?cursor=next%3D")
	more := w.get("/account/votes?cursor=next%3D", w.here("user"), w.byHtmx("/account"))
	check(t, "more by htmx", texts(more, "h3", ""), []string{"Crane"}, more.body, lacks("<html"), more.body,
		has("1 more piece."))
	w.get("/account/votes?cursor=nonsense", w.here("user")).check(t, "a cursor that is none", 400)
}

// TestAccountWhenServicesAreAway has the keys fetched before, so that it is known
// who asks.
func TestAccountWhenServicesAreAway(t *testing.T) {
	onEachFailure(t, inBubble, func(t *testing.T, w *website, fail func(*fake)) {
		w.mine[1] = true
		w.get("/account", w.here("user"))
		fail(w.product)
		a := w.promptly("/account", w.here("user"))
		a.check(t, "without the catalogue", 200, texts(a, "p", "away-heading"), []string{"Your votes are not available"},
			a.id("end-all") != nil, true)
		a = w.get("/account/votes?cursor=next%3D", w.here("user"), w.byHtmx("/account"))
		a.check(t, "more", 503, a.class("notice") != nil, true)
		fail(w.auth)
		a = w.promptly("/account", w.here("user"))
		want := []string{"Your profile is not available", "Your sessions are not available", "Your votes are not available"}
		a.check(t, "without auth too", 200, texts(a, "p", "away-heading"), want)
		a = w.promptly("/admin/people", w.here("admin"))
		a.check(t, "people", 200, text(a.class("away-heading")), "The list of people is not available")
		if w.auth.failure.Load() != slow { // a write waits for that
			a = w.post("/account/sessions/end-all", nil, w.here("user"))
			a.check(t, "sign out everywhere", 503, a.header.Get("Set-Cookie"), "")
		}
	})
}

func TestWhoseSessionWasEndedElsewhereIsSignedOut(t *testing.T) {
	w := startWebsite(t)
	w.revoked = true
	a := w.get("/account", w.here("user"))
	a.check(t, "the answer", 303, a.header.Get("Location"), "/login?next=%2Faccount&why=expired")
	check(t, "the answer", len(a.header.Values("Set-Cookie")), 2, a.header.Values("Set-Cookie")[0], has("Max-Age=0"),
		a.header.Values("Set-Cookie")[1], has("Max-Age=0"))
}
