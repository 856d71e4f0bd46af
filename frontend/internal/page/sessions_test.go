package page_test

import (
	"strings"
	"testing"

	"craftista/frontend/internal/page"
)

func TestPasswordIsChanged(t *testing.T) {
	w := startWebsite(t)
	const first, second, third = "open sesame please", "close sesame please", "ajar sesame please"
	a := w.post("/account/password", passwords(first, second), w.here("user"))
	a.check(t, "the answer", 303, a.header.Get("Location"), "/account?done=password#password")
	said := "Your password was changed, and you are signed out on all other devices."
	check(t, "the answer", text(w.get("/account?done=password", w.here("user")).class("done")), said)
	a = w.post("/account/password", passwords(second, third), w.here("user"), w.byHtmx("/account"))
	a.check(t, "by htmx", 200, text(a.class("done")), said, len(texts(a, "li", "session")), 1, a.body, lacks("<html"))
	check(t, "the answer", w.password, third, a.body, lacks("sesame"))
}

func TestPasswordIsRefused(t *testing.T) {
	w := startWebsite(t)
	const good, mend = "close sesame please", "Please fix what is marked below."
	for name, row := range map[string]struct {
		current, replacement string
		status               int
		problem, field       string
	}{
		"nothing typed": {"", "", 422, mend, "Current password is required"},
		"a wrong one":   {"wrong", good, 422, mend, "Current password is wrong"},
		"a short one":   {"open sesame please", "short", 422, mend, "New password must have 10 to 72 bytes"},
		"too often":     {"busy", good, 429, "Too many attempts. Wait 30 seconds and try again.", ""},
		"changed elsewhere": {"raced", good, 409, "Your password was just changed on another device. Try again with it.",
			""},
	} {
		for how, o := range w.ways("/account") {
			a := w.post("/account/password", passwords(row.current, row.replacement), w.here("user"), o)
			a.check(t, name+", "+how, row.status, text(a.id("password-form-problem")), row.problem,
				text(a.class("field-error")), row.field, a.body, lacks("sesame"),
				strings.Contains(a.body, "<html"), how == "whole")
		}
	}
	check(t, "the answer", w.post("/account/password", passwords("busy", good), w.here("user")).header.Get("Retry-After"),
		"30")
	w.auth.failure.Store(broken)
	a := w.post("/account/password", passwords("open sesame please", good), w.here("user"), w.byHtmx("/account"))
	a.check(t, "away", 503, text(a.id("password-form-problem")),
		begins("Sign-in is not available right now. Your password was not changed."))
}

func TestSessionsAreEnded(t *testing.T) {
	w := startWebsite(t)
	for range 2 { // repeating it changes nothing
		a := w.post("/account/sessions/5/end", nil, w.here("user"))
		a.check(t, "the answer", 303, a.header.Get("Location"), "/account?done=session#sessions")
	}
	done := text(w.get("/account?done=session", w.here("user")).class("done"))
	check(t, "the answer", done, "That session was signed out.")
	a := w.post("/account/sessions/4/end", nil, w.here("user"), w.byHtmx("/account"))
	a.check(t, "by htmx", 200, text(a.class("done")), done, attr(a.class("done"), "tabindex"), "-1")
	check(t, "buttons left", texts(a, "button", ""), []string{"Sign out everywhere"})
	a = w.post("/account/sessions/end-others", nil, w.here("user"), w.byHtmx("/account"))
	a.check(t, "all others", 200, text(a.class("done")), "All other sessions were signed out.")
	for _, path := range []string{"/account/sessions/x/end", "/account/sessions/0/end"} {
		w.post(path, nil, w.here("user")).check(t, path, 404)
	}
	w.auth.failure.Store(broken)
	a = w.post("/account/sessions/4/end", nil, w.here("user"), w.byHtmx("/account"))
	a.check(t, "away", 503, a.class("notice") != nil, true)
}

func TestSignOutEverywhere(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{
		"/account/sessions/end-all": {"/api/auth/sessions"},
		"/account/sessions/3/end":   nil, // one's own
	} {
		w := newWebsite(t, page.Settings{})
		a := w.post(path, nil, w.here("user"))
		a.check(t, path, 303, a.header.Get("Location"), "/", len(a.header.Values("Set-Cookie")), 2,
			a.header.Values("Set-Cookie")[0], has("Max-Age=0"))
		check(t, path, w.ended, want)
		check(t, path, text(w.get("/", with("", "r0")).class("own-first")), "Sign in")
	}
}
