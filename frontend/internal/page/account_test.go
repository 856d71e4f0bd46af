package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"craftista/frontend/internal/page"
	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

// here is person 7 in the session 3, with that role.
func (w *website) here(role string) option {
	return with(w.issuer.MintWith(7, role, func(_ *jwt.Token, c *token.Claims) { c.Session = "3" }), "r0")
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
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	application := as(w.issuer.MintWith(7, token.RoleAdmin, func(_ *jwt.Token, c *token.Claims) { c.ClientID, c.Scope = "birds", "openid" }))
	for name, row := range map[string]struct {
		who option
		why string
	}{
		"nobody": {func(*http.Request) {}, ""}, "a session that ended": {as("ended"), "&why=expired"}, "an application": {application, "&why=expired"},
	} {
		for _, path := range []string{"/account", "/account/votes", "/admin", "/admin/people"} {
			want := "/login?next=" + url.QueryEscape(path+"?q=x") + row.why
			if a := w.get(path+"?q=x", row.who); a.status != http.StatusSeeOther || a.header.Get("Location") != want {
				t.Errorf("%s at %s: %d to %q, want %q", name, path, a.status, a.header.Get("Location"), want)
			}
		}
		for _, path := range []string{
			"/account/password", "/account/sessions/4/end", "/account/sessions/end-others", "/account/sessions/end-all",
			"/admin/people/8/role", "/admin/people/8/disabled",
		} {
			want := "/login?next=%2Faccount" + row.why
			if a := w.post(path, nil, row.who, w.byHtmx("/account")); a.status != http.StatusNoContent || a.header.Get("HX-Redirect") != want {
				t.Errorf("%s at %s: %d to %q, want %q", name, path, a.status, a.header.Get("HX-Redirect"), want)
			}
		}
	}
	if len(w.people.ended) != 0 {
		t.Errorf("sessions were ended: %q", w.people.ended)
	}
	if got := text(w.get("/login?next=/account").class("why")); got != "Sign in first. You come right back to where you were." {
		t.Errorf("why: %q", got)
	}
}

func TestAccountShowsThePerson(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	w.mine[1], w.mine[2] = true, true
	a := w.get("/account", w.here("user"))
	got := [][]string{texts(a, "dd", ""), texts(a, "li", "session"), texts(a, "button", "button-small"), {text(a.class("site-nav")), text(a.id("piece-2"))}}
	want := [][]string{
		{"person-7", "seven@example.com", "Curator", "2 January 2026"},
		{
			"Firefox on Linux this one Since 20 November 2026, 08:30 UTC, last used 22 November 2026, 09:00 UTC",
			"A browser Since 20 November 2026, 08:30 UTC, last used 20 November 2026, 08:30 UTC End the session A browser of 20 November 2026, 08:30 UTC",
			"The application <b>Birds</b> Since 20 November 2026, 08:30 UTC, last used 20 November 2026, 08:30 UTC " +
				"End the session <b>Birds</b> of 20 November 2026, 08:30 UTC",
		},
		{
			"End the session A browser of 20 November 2026, 08:30 UTC", "End the session <b>Birds</b> of 20 November 2026, 08:30 UTC",
			"End all others", "Sign out everywhere",
		},
		{"Gallery Today Status Your account: person-7 Sign out", "Fox Advanced 1 vote Voted for Fox, take the vote back"},
	}
	if diff := cmp.Diff(got, want); a.status != http.StatusOK || diff != "" || strings.Contains(a.body, "<b>Birds") {
		t.Errorf("%d (-got +want):\n%s", a.status, diff)
	}
	if got := attr(a.class("own-first"), "aria-current"); got != "page" {
		t.Errorf("aria-current %q", got)
	}
}

func TestMyVotes(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	none := w.get("/account/votes", w.here("user"))
	if got := text(none.class("away-heading")); got != "No votes yet" {
		t.Errorf("without votes: %q", got)
	}
	w.mine[1], w.mine[2], w.mine[404] = true, true, true // one is gone
	a := w.get("/account/votes", w.here("user"))
	if got, want := texts(a, "h3", ""), []string{"Fox"}; !cmp.Equal(got, want) || attr(a.id("more-link"), "href") != "/account/votes?cursor=next%3D" {
		t.Errorf("pieces %q, want %q, more at %q", got, want, attr(a.id("more-link"), "href"))
	}
	more := w.get("/account/votes?cursor=next%3D", w.here("user"), w.byHtmx("/account"))
	if got := texts(more, "h3", ""); !cmp.Equal(got, []string{"Crane"}) || strings.Contains(more.body, "<html") || !strings.Contains(more.body, "1 more piece.") {
		t.Errorf("more by htmx: %q in %s", got, more.body)
	}
	if a := w.get("/account/votes?cursor=nonsense", w.here("user")); a.status != http.StatusBadRequest {
		t.Errorf("a cursor that is none: %d", a.status)
	}
}

// TestAccountWhenServicesAreAway has the keys fetched before, so that it is known
// who asks.
func TestAccountWhenServicesAreAway(t *testing.T) {
	t.Parallel()
	for mood, strike := range moods() {
		t.Run(mood, func(t *testing.T) {
			t.Parallel()
			w := newWebsite(t, page.Settings{})
			w.mine[1] = true
			w.get("/account", w.here("user"))
			strike(w.product)
			a := w.promptly("/account", w.here("user"))
			if got := texts(a, "p", "away-heading"); a.status != http.StatusOK || !cmp.Equal(got, []string{"Your votes are out of sight"}) || a.id("end-all") == nil {
				t.Errorf("without the catalogue: %d %q", a.status, got)
			}
			if a := w.get("/account/votes?cursor=next%3D", w.here("user"), w.byHtmx("/account")); a.status != http.StatusServiceUnavailable || a.class("notice") == nil {
				t.Errorf("more: %d %s", a.status, a.body)
			}
			strike(w.auth)
			a = w.promptly("/account", w.here("user"))
			want := []string{"Your profile is away", "Your sessions are away", "Your votes are out of sight"}
			if got := texts(a, "p", "away-heading"); a.status != http.StatusOK || !cmp.Equal(got, want) {
				t.Errorf("without auth too: %d %q", a.status, got)
			}
			if a := w.promptly("/admin/people", w.here("admin")); a.status != http.StatusOK || text(a.class("away-heading")) != "Nobody can be seen" {
				t.Errorf("people: %d %s", a.status, a.body)
			}
			a = w.post("/account/sessions/end-all", nil, w.here("user"))
			if a.status != http.StatusServiceUnavailable || a.header.Get("Set-Cookie") != "" {
				t.Errorf("sign out everywhere: %d, cookie %q", a.status, a.header.Get("Set-Cookie"))
			}
		})
	}
}

func TestWhoseSessionWasEndedElsewhereIsSignedOut(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	w.revoked = true
	a := w.get("/account", w.here("user"))
	if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != "/login?next=%2Faccount&why=expired" {
		t.Errorf("%d to %q", a.status, got)
	}
	if got := a.header.Values("Set-Cookie"); len(got) != 2 || !strings.Contains(got[0], "Max-Age=0") || !strings.Contains(got[1], "Max-Age=0") {
		t.Errorf("cookies %q", got)
	}
}
