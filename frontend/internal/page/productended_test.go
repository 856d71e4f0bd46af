package page_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"craftista/frontend/internal/page"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

const (
	saysKept      = "Your session has ended. What you typed is still here: sign in, then send it once more."
	saysKeptWhole = "Your session has ended. What you typed is still here, only a file has to be chosen again: sign in, then send it once more."
	signInTab     = " Sign in in a new tab"
)

// endings are the ways in which a session can have ended, by what the browser
// then sends. The catalogue believes none of the tokens.
func (w *website) endings() map[string]option {
	w.revoked = true
	return map[string]option{"run out": w.expired(), "signed out in another tab": header("X", "y"), "ended elsewhere": w.here("curator")}
}

// checkSignIn holds that the answer leads to sign-in in another tab, with the
// focus there, and that /login then says what it is for.
func (w *website) checkSignIn(a answer, who option) {
	w.t.Helper()
	link := slices.IndexFunc(a.tags("a"), func(n *html.Node) bool { return attr(n, "target") == "_blank" })
	if link < 0 {
		w.t.Fatalf("%d without a link to sign in: %.300s", a.status, a.body)
	}
	n := a.tags("a")[link]
	got := []string{attr(n, "href"), attr(n, "rel"), text(n)}
	want := []string{"/login?next=%2Fadmin%2Fpieces&why=form", "noopener", strings.TrimSpace(signInTab)}
	if diff := cmp.Diff(got, want); diff != "" || !strings.Contains(markup(w.t, n), "autofocus") {
		w.t.Errorf("%s (-got +want):\n%s", markup(w.t, n), diff)
	}
	if cleared := a.header.Values("Set-Cookie"); len(cleared) == 2 && strings.HasPrefix(cleared[0], "craftista_session=;") {
		who = header("X", "y")
	}
	login := w.get(attr(n, "href"), who)
	if got := text(login.class("why")); got != "Sign in here, then go back to the other tab: your form waits in it." {
		w.t.Errorf("%d, the sign-in says %q", login.status, got)
	}
}

// TestASessionEndsOverAForm: whole pages come back with what was typed, text that
// looks hostile included, and with the key or tag, so that it can be sent again.
func TestASessionEndsOverAForm(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	w.get("/account", w.here("curator"))
	for ending, who := range w.endings() {
		for name, hostile := range hostileTexts() {
			for path, tag := range map[string]string{"/admin/pieces/new": "", "/admin/pieces/1/edit": `"0-41-a"`} {
				form := heron("tag", tag, "name", hostile, "description", hostile, "folds", hostile, "paper", hostile, "file", "<svg/>")
				a := w.postProduct(path, form, who)
				if a.doc == nil {
					t.Fatalf("%s: %d %v", ending, a.status, a.header)
				}
				got := filled(a)
				input := []string{squeeze(got["name"]), squeeze(got["description"]), squeeze(got["paper"]), squeeze(got["folds"])}
				if diff := cmp.Diff(input, slices.Repeat([]string{squeeze(hostile)}, 4)); diff != "" || a.status != http.StatusUnauthorized {
					t.Errorf("%s, %s %s: %d (-got +want):\n%s", ending, name, path, a.status, diff)
				}
				rest := []string{got["difficulty"], got["picture"], got["tag"], attr(a.id("piece-form"), "action"), text(a.id("piece-problem"))}
				if diff := cmp.Diff(rest, []string{"easy", "/static/origami/swan.svg", tag, path, saysKeptWhole + signInTab}); diff != "" {
					t.Errorf("%s, %s %s (-got +want):\n%s", ending, name, path, diff)
				}
				if got := text(a.class("site-nav")); !strings.Contains(got, "Sign in") || strings.Contains(got, "Sign out") {
					t.Errorf("%s: the header says %q", ending, got)
				}
				if tag == "" && keyOf(a) != form.Get("key") || len(a.tags("script")) != 3 || a.header.Get("WWW-Authenticate") != "" {
					t.Errorf("%s, %s: key %q, want %q; %d scripts", ending, path, keyOf(a), form.Get("key"), len(a.tags("script")))
				}
			}
		}
		w.checkSignIn(w.postProduct("/admin/pieces/new", heron(), who), who)
	}
	if w.edits.uploads != nil || len(w.products) != 3 {
		t.Errorf("uploads %v, pieces %v", w.edits.uploads, w.products)
	}
}

// TestASessionEndsOverAFormInHtmx: the form stays as it is, its file too, and one
// sentence says so.
func TestASessionEndsOverAFormInHtmx(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	w.get("/account", w.here("curator"))
	for ending, who := range w.endings() {
		for path, tag := range map[string]string{"/admin/pieces/new": "", "/admin/pieces/1/edit": `"0-41-a"`} {
			a := w.postProduct(path, heron("tag", tag), who, w.byHtmx(path))
			if got := text(a.doc); a.status != http.StatusUnauthorized || got != saysKept+signInTab || a.header.Get("HX-Redirect") != "" {
				t.Errorf("%s %s: %d %q %v", ending, path, a.status, got, a.header)
			}
			w.checkSignIn(a, who)
		}
	}
}

// TestWhatCannotBeKept leads to sign-in, as does everything else.
func TestWhatCannotBeKept(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	for name, a := range map[string]answer{
		"no form":         w.post("/admin/pieces/new", heron(), w.expired()),
		"no key":          w.postProduct("/admin/pieces/new", heron("key", ""), w.expired()),
		"no tag":          w.postProduct("/admin/pieces/1/edit", heron(), w.expired()),
		"no piece":        w.postProduct("/admin/pieces/x/edit", heron("tag", `"0-41-a"`), w.expired()),
		"another's field": w.postProduct("/admin/pieces/new", heron("votes", "1"), w.expired()),
		"too much":        w.postProduct("/admin/pieces/new", heron("name", strings.Repeat("x", 70_000)), w.expired()),
		"a deletion":      w.post("/admin/pieces/1/delete", url.Values{"tag": {`"0-41-a"`}}, w.expired()),
	} {
		if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != "/login?next=%2Faccount&why=expired" {
			t.Errorf("%s: %d to %q", name, a.status, got)
		}
	}
}

// TestAFormWhileSignInIsAway keeps what was typed as well.
func TestAFormWhileSignInIsAway(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	w.auth.mood.Store(broken)
	a := w.postProduct("/admin/pieces/new", heron(), w.here("curator"))
	if got := text(a.id("piece-problem")); a.status != http.StatusServiceUnavailable || filled(a)["name"] != "Heron" || !strings.HasPrefix(got, "Sign-in is away just now.") {
		t.Errorf("%d %q, name %q", a.status, got, filled(a)["name"])
	}
}
