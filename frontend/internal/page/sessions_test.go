package page_test

import (
	"net/http"
	"strings"
	"testing"

	"craftista/frontend/internal/page"

	"github.com/google/go-cmp/cmp"
)

func TestPasswordIsChanged(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	const first, second, third = "open sesame please", "close sesame please", "ajar sesame please"
	a := w.post("/account/password", passwords(first, second), w.here("user"))
	if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != "/account?done=password#password" {
		t.Fatalf("%d to %q", a.status, got)
	}
	said := "Your password is changed, and you are signed out everywhere else."
	if got := text(w.get("/account?done=password", w.here("user")).class("done")); got != said {
		t.Errorf("the page says %q", got)
	}
	a = w.post("/account/password", passwords(second, third), w.here("user"), w.byHtmx("/account"))
	if a.status != http.StatusOK || text(a.class("done")) != said || len(texts(a, "li", "session")) != 1 || strings.Contains(a.body, "<html") {
		t.Errorf("by htmx: %d %s", a.status, a.body)
	}
	if w.people.password != third || strings.Contains(a.body, "sesame") {
		t.Errorf("password %q, body %s", w.people.password, a.body)
	}
}

func TestPasswordIsRefused(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	const good, mend = "close sesame please", "Almost. Mend what is marked below."
	for name, row := range map[string]struct {
		current, replacement string
		status               int
		problem, field       string
	}{
		"nothing typed":     {"", "", 422, mend, "Current password is required"},
		"a wrong one":       {"wrong", good, 422, mend, "Current password is not your password"},
		"a short one":       {"open sesame please", "short", 422, mend, "New password must have 10 to 72 bytes"},
		"too often":         {"busy", good, 429, "Too many tries. Wait 30 seconds and try again.", ""},
		"changed elsewhere": {"raced", good, 409, "Your password was changed elsewhere just now. Try again with the new one.", ""},
	} {
		for how, options := range map[string][]option{"by htmx": {w.byHtmx("/account")}, "without": nil} {
			a := w.post("/account/password", passwords(row.current, row.replacement), append(options, w.here("user"))...)
			got := []string{text(a.id("password-form-problem")), text(a.class("field-error"))}
			if diff := cmp.Diff(got, []string{row.problem, row.field}); a.status != row.status || diff != "" {
				t.Errorf("%s, %s: %d (-got +want):\n%s", name, how, a.status, diff)
			}
			if whole := strings.Contains(a.body, "<html"); whole == (how == "by htmx") || strings.Contains(a.body, "sesame") {
				t.Errorf("%s, %s: %s", name, how, a.body)
			}
		}
	}
	if a := w.post("/account/password", passwords("busy", good), w.here("user")); a.header.Get("Retry-After") != "30" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	w.auth.mood.Store(broken)
	a := w.post("/account/password", passwords("open sesame please", good), w.here("user"), w.byHtmx("/account"))
	if got := text(a.id("password-form-problem")); a.status != http.StatusServiceUnavailable || !strings.HasPrefix(got, "Sign-in is away just now, so your password is as it was.") {
		t.Errorf("away: %d %q", a.status, got)
	}
}

func TestSessionsAreEnded(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	for range 2 { // repeating it changes nothing
		a := w.post("/account/sessions/5/end", nil, w.here("user"))
		if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != "/account?done=session#sessions" {
			t.Fatalf("%d to %q", a.status, got)
		}
	}
	if got := text(w.get("/account?done=session", w.here("user")).class("done")); got != "That session is ended." {
		t.Errorf("the page says %q", got)
	}
	a := w.post("/account/sessions/4/end", nil, w.here("user"), w.byHtmx("/account"))
	if got := text(a.class("done")); a.status != http.StatusOK || got != "That session is ended." || attr(a.class("done"), "tabindex") != "-1" {
		t.Errorf("by htmx: %d %s", a.status, a.body)
	}
	if got := texts(a, "button", ""); !cmp.Equal(got, []string{"Sign out everywhere"}) {
		t.Errorf("buttons left: %q", got)
	}
	a = w.post("/account/sessions/end-others", nil, w.here("user"), w.byHtmx("/account"))
	if got := text(a.class("done")); a.status != http.StatusOK || got != "All other sessions are ended." {
		t.Errorf("all others: %d %s", a.status, a.body)
	}
	for _, path := range []string{"/account/sessions/x/end", "/account/sessions/0/end"} {
		if a := w.post(path, nil, w.here("user")); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	w.auth.mood.Store(broken)
	a = w.post("/account/sessions/4/end", nil, w.here("user"), w.byHtmx("/account"))
	if a.status != http.StatusServiceUnavailable || a.class("notice") == nil {
		t.Errorf("away: %d %s", a.status, a.body)
	}
}

func TestSignOutEverywhere(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{
		"/account/sessions/end-all": {"/api/auth/sessions"},
		"/account/sessions/3/end":   nil, // one's own
	} {
		w := newWebsite(t, page.Settings{})
		a := w.post(path, nil, w.here("user"))
		if got := a.header.Values("Set-Cookie"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/" || len(got) != 2 || !strings.Contains(got[0], "Max-Age=0") {
			t.Errorf("%s: %d to %q, cookies %q", path, a.status, a.header.Get("Location"), got)
		}
		if !cmp.Equal(w.people.ended, want) {
			t.Errorf("%s: ended %q, want %q", path, w.people.ended, want)
		}
		if a := w.get("/", with("", "r0")); text(a.class("own-first")) != "Sign in" {
			t.Errorf("%s: the refresh token lives on", path)
		}
	}
}
