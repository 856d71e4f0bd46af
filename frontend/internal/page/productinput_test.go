package page_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

const (
	saysStillHere = "Your session has ended. What you typed is still here: sign in, then send it again."
	saysKeptWhole = "Your session has ended. What you typed is still here, only a file has to be chosen again: sign " +
		"in, then send it again."
	signInTab = " Sign in in a new tab"
)

// endings are the ways in which a session can have ended, by what the browser
// then sends. The catalogue believes none of the tokens.
func (w *website) endings() map[string]option {
	w.revoked = true
	return map[string]option{"run out": w.expired(), "signed out in another tab": nobody,
		"ended elsewhere": w.here("curator")}
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
	check(w.t, markup(w.t, n)+"", got, want, markup(w.t, n), has("autofocus"))
	if cleared := a.header.Values("Set-Cookie"); len(cleared) == 2 &&
		strings.HasPrefix(cleared[0], "craftista_session=;") {
		who = nobody
	}
	login := w.get(attr(n, "href"), who)
	check(w.t, "the answer", text(login.class("why")),
		"Sign in here, then return to your form in the other tab.")
}

// TestASessionEndsOverAForm: whole pages come back with what was typed, text that
// looks hostile included, and with the key or tag, so that it can be sent again.
func TestASessionEndsOverAForm(t *testing.T) {
	w := startWebsite(t)
	w.get("/account", w.here("curator"))
	for ending, who := range w.endings() {
		for name, hostile := range hostileTexts() {
			for path, tag := range map[string]string{"/admin/pieces/new": "", "/admin/pieces/1/edit": `"0-41-a"`} {
				form := heron("tag", tag, "name", hostile, "description", hostile, "folds", hostile, "paper", hostile, "file",
					"<svg/>")
				a := w.postProduct(path, form, who)
				if a.doc == nil {
					t.Fatalf("%s: %d %v", ending, a.status, a.header)
				}
				got := filled(a)
				input := []string{squeeze(got["name"]), squeeze(got["description"]), squeeze(got["paper"]), squeeze(got["folds"])}
				a.check(t, ending+", "+name+" "+path, 401, input, slices.Repeat([]string{squeeze(hostile)}, 4))
				rest := []string{got["difficulty"], got["picture"], got["tag"], attr(a.id("piece-form"), "action"),
					text(a.id("piece-problem"))}
				check(t, ending+", "+name+" "+path+"", rest, []string{"easy", "/static/origami/swan.svg", tag, path, saysKeptWhole +
					signInTab})
				check(t, ending, text(a.class("site-nav")), has("Sign in"), text(a.class("site-nav")), lacks("Sign out"))
				if tag == "" && keyOf(a) != form.Get("key") || len(a.tags("script")) != 5 ||
					a.header.Get("WWW-Authenticate") != "" {
					t.Errorf("%s, %s: key %q, want %q; %d scripts", ending, path, keyOf(a), form.Get("key"), len(a.tags("script")))
				}
			}
		}
		w.checkSignIn(w.postProduct("/admin/pieces/new", heron(), who), who)
	}
	check(t, "the answer", w.uploads == nil, true, len(w.products), 3)
}

// TestASessionEndsOverAFormInHtmx: the form stays as it is, its file too, and one
// sentence says so.
func TestASessionEndsOverAFormInHtmx(t *testing.T) {
	w := startWebsite(t)
	w.get("/account", w.here("curator"))
	for ending, who := range w.endings() {
		for path, tag := range map[string]string{"/admin/pieces/new": "", "/admin/pieces/1/edit": `"0-41-a"`} {
			a := w.postProduct(path, heron("tag", tag), who, w.byHtmx(path))
			a.check(t, ending+" "+path, 401, text(a.doc), saysStillHere+signInTab, a.header.Get("HX-Redirect"), "")
			w.checkSignIn(a, who)
		}
	}
}

// TestWhatCannotBeKept leads to sign-in, as does everything else.
func TestWhatCannotBeKept(t *testing.T) {
	w := startWebsite(t)
	for name, a := range map[string]answer{
		"no form":         w.post("/admin/pieces/new", heron(), w.expired()),
		"no key":          w.postProduct("/admin/pieces/new", heron("key", ""), w.expired()),
		"no tag":          w.postProduct("/admin/pieces/1/edit", heron(), w.expired()),
		"no product":      w.postProduct("/admin/pieces/x/edit", heron("tag", `"0-41-a"`), w.expired()),
		"another's field": w.postProduct("/admin/pieces/new", heron("votes", "1"), w.expired()),
		"too much":        w.postProduct("/admin/pieces/new", heron("name", strings.Repeat("x", 70_000)), w.expired()),
		"a deletion":      w.post("/admin/pieces/1/delete", url.Values{"tag": {`"0-41-a"`}}, w.expired()),
	} {
		a.check(t, name, 303, a.header.Get("Location"), "/login?next=%2Faccount&why=expired")
	}
}

// TestAFormWhileSignInIsAway keeps what was typed as well.
func TestAFormWhileSignInIsAway(t *testing.T) {
	w := startWebsite(t)
	w.auth.failure.Store(broken)
	a := w.postProduct("/admin/pieces/new", heron(), w.here("curator"))
	a.check(t, "the answer", 503, filled(a)["name"], "Heron", text(a.id("piece-problem")),
		begins("Sign-in is not available right now."))
}
