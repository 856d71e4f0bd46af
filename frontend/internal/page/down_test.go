package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"craftista/frontend/internal/page"

	"github.com/google/go-cmp/cmp"
)

// moods are the ways of a service to be away.
func moods() map[string]func(*fake) {
	return map[string]func(*fake){
		"gone":    func(f *fake) { f.server.Close() },
		"broken":  func(f *fake) { f.mood.Store(broken) },
		"hanging": func(f *fake) { f.mood.Store(hanging) },
		"slow":    func(f *fake) { f.mood.Store(slow) },
		"cutting": func(f *fake) { f.mood.Store(cutting) },
	}
}

// patience is for a page that should be there within a second, on a machine that
// runs all tests at once; the services that are slow here take five.
const patience = 3 * time.Second

// promptly is get that also holds the page to its deadline.
func (w *website) promptly(path string, options ...option) answer {
	w.t.Helper()
	start := time.Now()
	a := w.get(path, options...)
	if took := time.Since(start); took > patience {
		w.t.Errorf("%s took %s", path, took)
	}
	if strings.Contains(a.body, "secret detail") {
		w.t.Errorf("%s leaks: %s", path, a.body)
	}
	return a
}

func TestCatalogueAway(t *testing.T) {
	t.Parallel()
	for mood, strike := range moods() {
		t.Run(mood, func(t *testing.T) {
			t.Parallel()
			w := newWebsite(t, page.Settings{})
			signedIn := as(w.issuer.Mint(7, "user"))
			strike(w.product)
			a := w.promptly("/", signedIn)
			got := []string{text(a.id("today-heading")), text(a.class("reason")), text(a.class("away-heading"))}
			if diff := cmp.Diff([]string{"Crane", "chosen for you", "The shelves are out of sight"}, got); diff != "" || a.status != http.StatusOK {
				t.Errorf("%d %s", a.status, diff)
			}
			const away = http.StatusServiceUnavailable
			if a = w.promptly("/origamis/1", signedIn); a.status != away || text(a.tags("h1")[0]) != "Away just now" {
				t.Errorf("piece: %d %q", a.status, text(a.tags("h1")[0]))
			}
			a = w.post("/origamis/1/vote", nil, signedIn, w.byHtmx("/"))
			if a.status != away || text(a.class("notice")) != "Voting is away just now. Please try again in a moment." {
				t.Errorf("vote: %d %s", a.status, a.body)
			}
			if a = w.promptly("/?cursor=two%3D", w.byHtmx("/")); a.status != away || !strings.HasPrefix(a.body, `<span class="notice">`) {
				t.Errorf("more: %d %s", a.status, a.body)
			}
		})
	}
}

func TestRecommendationAway(t *testing.T) {
	t.Parallel()
	for mood, strike := range moods() {
		t.Run(mood, func(t *testing.T) {
			t.Parallel()
			w := newWebsite(t, page.Settings{})
			strike(w.recommendation)
			a := w.promptly("/", as(w.issuer.Mint(7, "user")))
			got := []string{text(a.id("today-heading")), text(a.class("away-heading")), text(a.id("vote-1"))}
			want := []string{"Paper, patience, and a few good folds", "No picks just now", "41 votes Vote for Crane"}
			if diff := cmp.Diff(want, got); diff != "" || a.status != http.StatusOK {
				t.Errorf("%d %s", a.status, diff)
			}
			if a = w.promptly("/recommendations", w.byHtmx("/")); a.status != http.StatusOK || text(a.class("away-heading")) != "No picks just now" {
				t.Errorf("fragment: %d %s", a.status, a.body)
			}
		})
	}
}

// TestAuthAway covers sign-in, and what pages say of a person whose token
// cannot be checked.
func TestAuthAway(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	w.issuer.Down.Store(true)
	w.auth.server.Close()
	someone := as(w.issuer.Mint(7, "user"))
	a := w.promptly("/", someone)
	if got, want := text(a.class("site-nav")), "Gallery Today Status Sign-in is away"; got != want || a.header.Get("Set-Cookie") != "" || a.status != http.StatusOK {
		t.Errorf("%d, navigation %q, want %q, cookie %q", a.status, got, want, a.header.Get("Set-Cookie"))
	}
	if got, want := text(a.id("vote-1")), "41 votes Vote for Crane"; got != want {
		t.Errorf("gallery %q, want %q", got, want)
	}
	if a = w.promptly("/login", someone); a.status != http.StatusOK || !strings.HasPrefix(text(a.class("why")), "Sign-in does not answer") {
		t.Errorf("login page: %d %q", a.status, text(a.class("why")))
	}
	for path, form := range map[string]url.Values{"/login": ada(), "/register": ada("email", "a@b.example")} {
		a := w.post(path, form)
		id := strings.TrimPrefix(path, "/") + "-form"
		if a.status != http.StatusServiceUnavailable || !strings.HasPrefix(text(a.id(id+"-problem")), "Sign-in is away just now.") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
		if got := attr(a.id("username"), "value"); got != "ada" {
			t.Errorf("%s: username %q", path, got)
		}
	}
}

func TestAuthMisconfigured(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	a := w.post("/register", ada("email", "a@b.example", "username", "badkey"))
	if a.status != http.StatusInternalServerError || strings.Contains(a.body, "key") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestRegisteredButNotSignedIn is auth going away between the two calls.
func TestRegisteredButNotSignedIn(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	a := w.post("/register", ada("email", "a@b.example", "username", "busy", "next", "/origamis/2"))
	if got, want := a.header.Get("Location"), "/login?next=%2Forigamis%2F2&why=welcome"; a.status != http.StatusSeeOther || got != want {
		t.Errorf("%d to %q, want %q", a.status, got, want)
	}
}
