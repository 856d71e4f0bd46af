package page_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/frontend/internal/page"

	"github.com/google/go-cmp/cmp"
)

// renewed are the cookies that a renewal sets, without their values.
func renewed() []string {
	return []string{
		"craftista_session; Path=/; Max-Age=2678400; HttpOnly; SameSite=Lax",
		"craftista_refresh; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax",
	}
}

// TestRenewal renews within the request that needs it, whatever its answer is.
func TestRenewal(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	access := map[string]string{"expired": w.ending(-time.Hour), "about to end": w.ending(20 * time.Second), "missing": "", "bad": "nonsense"}
	for name, c := range map[string]struct {
		method, path string
		options      []option
		status       int
	}{
		"a page":           {"GET", "/", nil, 200},
		"a fragment":       {"GET", "/recommendations", []option{w.byHtmx("/")}, 200},
		"a vote":           {"POST", "/origamis/1/vote", nil, 303},
		"a vote in htmx":   {"POST", "/origamis/1/vote", []option{w.byHtmx("/")}, 200},
		"a script's vote":  {"POST", "/api/origamis/1/vote", nil, 200},
		"no such page":     {"GET", "/nowhere", nil, 404},
		"no such piece":    {"POST", "/origamis/99/vote", nil, 404},
		"the sign-in page": {"GET", "/login", nil, 303},
		"a HEAD":           {"HEAD", "/", nil, 200},
	} {
		for state, token := range access {
			before := w.refreshes.Load()
			a := w.do(c.method, c.path, nil, append(c.options, with(token, "r-"+name+state))...)
			attributes, values := a.cookies(t)
			if diff := cmp.Diff(renewed(), attributes); diff != "" || a.status != c.status || w.refreshes.Load() != before+1 {
				t.Errorf("%s with a token %s: %d, %d renewals, %s", name, state, a.status, w.refreshes.Load()-before, diff)
				continue
			}
			if cc := a.header.Get("Cache-Control"); !strings.Contains(cc, "no-store") || !strings.HasPrefix(values[0], "ey") || !strings.HasPrefix(values[1], "r") {
				t.Errorf("%s with a token %s: Cache-Control %q, values %q", name, state, cc, values)
			}
			if strings.Contains(a.body, values[0]) || strings.Contains(w.log.String(), "r-"+name) || strings.Contains(w.log.String(), values[0]) {
				t.Errorf("%s with a token %s: a token is in the page or the log", name, state)
			}
		}
	}
	if a := w.get("/", with(w.ending(time.Minute), "r0")); a.header.Get("Set-Cookie") != "" {
		t.Errorf("a token that lasts: cookies %q", a.header.Values("Set-Cookie"))
	}
}

// TestTenAtOnceRenewOnce is a browser that restores ten tabs, and one more page
// that it asked for with the old cookies.
func TestTenAtOnceRenewOnce(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	gate := make(chan struct{})
	w.gate.Store(&gate)
	someone := with(w.ending(-time.Hour), "r0")
	const tabs = 10
	answers := make([]answer, tabs+1)
	var wg sync.WaitGroup
	for i := range tabs {
		wg.Go(func() { answers[i] = w.get("/", someone) })
	}
	for w.product.asked.Load() < tabs || w.refreshes.Load() == 0 {
		<-time.After(time.Millisecond)
	}
	close(gate)
	wg.Wait()
	answers[tabs] = w.get("/", someone)
	_, want := answers[0].cookies(t)
	for i, a := range answers {
		_, got := a.cookies(t)
		if diff := cmp.Diff(want, got); diff != "" || a.status != http.StatusOK || !strings.Contains(text(a.class("site-nav")), "person-7") {
			t.Errorf("tab %d: %d %q %s", i, a.status, text(a.class("site-nav")), diff)
		}
	}
	if got := w.refreshes.Load(); got != 1 {
		t.Errorf("%d renewals, want 1", got)
	}
}

// TestReplicasRenewEach holds that each replica asks auth, whose grace serves both.
func TestReplicasRenewEach(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	replica := httptest.NewServer(w.router(page.Settings{}))
	defer replica.Close()
	someone := with(w.ending(-time.Hour), "r0")
	first := w.get("/", someone)
	w.site.URL, replica.URL = replica.URL, w.site.URL
	second := w.get("/", someone)
	for name, a := range map[string]answer{"first": first, "second": second} {
		if !strings.Contains(text(a.class("site-nav")), "person-7") || len(a.header.Values("Set-Cookie")) != 2 {
			t.Errorf("%s: %q, cookies %q", name, text(a.class("site-nav")), a.header.Values("Set-Cookie"))
		}
	}
	if got := w.refreshes.Load(); got != 2 {
		t.Errorf("%d renewals, want 2", got)
	}
}

// TestFamilyGone signs the person out at once, and says so when they act.
func TestFamilyGone(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	for name, token := range map[string]string{"expired": w.ending(-time.Hour), "missing": "", "still good": w.ending(20 * time.Second)} {
		a := w.get("/", with(token, "gone"))
		note := "craftista_session=ended; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax"
		const clear = "craftista_refresh=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
		if diff := cmp.Diff([]string{note, clear}, a.header.Values("Set-Cookie")); diff != "" || text(a.class("site-nav")) != "Gallery Today Status Sign in Join" {
			t.Errorf("%s: %q %s", name, text(a.class("site-nav")), diff)
		}
		a = w.post("/origamis/2/vote", nil, with(token, "gone"))
		checkSignIn(t, name, a, a.header.Get("Location"), http.StatusSeeOther, "/origamis/2#piece-2", "expired", false)
		a = w.get("/login?next=/origamis/2", with(token, "gone"))
		want := []string{"craftista_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", clear}
		if diff := cmp.Diff(want, a.header.Values("Set-Cookie")); diff != "" || text(a.class("why")) != saysExpired {
			t.Errorf("%s: the sign-in says %q %s", name, text(a.class("why")), diff)
		}
	}
	before := w.auth.asked.Load()
	ended := as("ended") // what the browser has now
	a := w.post("/origamis/2/vote", nil, ended, w.byHtmx("/"))
	checkSignIn(t, "later", a, a.header.Get("HX-Redirect"), http.StatusNoContent, "/#piece-2", "expired", false)
	if a = w.get("/login", ended); text(a.class("why")) != saysExpired || len(a.header.Values("Set-Cookie")) != 2 {
		t.Errorf("later: the sign-in says %q, cookies %q", text(a.class("why")), a.header.Values("Set-Cookie"))
	}
	if got := w.auth.asked.Load(); got != before {
		t.Errorf("auth was asked %d times more", got-before)
	}
}

// TestAuthAwayAtRenewal keeps the cookies; a token that is still good is used.
func TestAuthAwayAtRenewal(t *testing.T) {
	t.Parallel()
	for mood, strike := range moods() {
		t.Run(mood, func(t *testing.T) {
			t.Parallel()
			w := newWebsite(t, page.Settings{})
			w.get("/", as(w.issuer.Mint(7, "user"))) // fetches the keys
			strike(w.auth)
			good, expired := with(w.ending(25*time.Second), "r0"), with(w.ending(-time.Hour), "r0")
			const away = http.StatusServiceUnavailable
			for name, c := range map[string]struct {
				answer answer
				status int
				shows  string
			}{
				"still good":            {w.promptly("/", good), 200, "person-7"},
				"a vote, still good":    {w.post("/origamis/1/vote", nil, good), 303, ""},
				"expired":               {w.promptly("/", expired), 200, "Sign-in is away"},
				"missing":               {w.promptly("/", with("", "r0")), 200, "Sign-in is away"},
				"the sign-in":           {w.promptly("/login", expired), 200, "Sign-in does not answer"},
				"a vote, expired":       {w.post("/origamis/2/vote", nil, expired), away, "Away just now"},
				"a vote in htmx":        {w.post("/origamis/2/vote", nil, expired, w.byHtmx("/")), away, "Sign-in is away just now. Please try again"},
				"a script's, expired":   {w.post("/api/origamis/2/vote", nil, expired), away, "sign-in is away just now"},
				"a script's still good": {w.post("/api/origamis/1/vote", nil, good), 200, "42"},
			} {
				if c.answer.status != c.status || !strings.Contains(c.answer.body, c.shows) || c.answer.header.Get("Set-Cookie") != "" {
					t.Errorf("%s: %d, cookies %q, %.2000s", name, c.answer.status, c.answer.header.Values("Set-Cookie"), c.answer.body)
				}
			}
			if len(w.mine) != 1 || !w.mine[1] {
				t.Errorf("votes %v", w.mine)
			}
		})
	}
}

// TestSignOutRevokes ends the session at auth, and here even without auth.
func TestSignOutRevokes(t *testing.T) {
	t.Parallel()
	cleared := []string{
		"craftista_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", "craftista_refresh=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
	}
	w := newWebsite(t, page.Settings{})
	a := w.post("/logout", nil, with(w.issuer.Mint(7, "user"), "r0"))
	if diff := cmp.Diff(cleared, a.header.Values("Set-Cookie")); diff != "" || a.header.Get("Location") != "/" {
		t.Errorf("to %q %s", a.header.Get("Location"), diff)
	}
	if a = w.get("/", with("", "r0")); text(a.class("site-nav")) != "Gallery Today Status Sign in Join" {
		t.Errorf("the old refresh token shows %q", text(a.class("site-nav")))
	}
	for mood, strike := range moods() {
		w := newWebsite(t, page.Settings{})
		strike(w.auth)
		start := time.Now()
		a := w.post("/logout", nil, with(w.issuer.Mint(7, "user"), "r0"), w.byHtmx("/"))
		if diff := cmp.Diff(cleared, a.header.Values("Set-Cookie")); diff != "" || a.header.Get("HX-Redirect") != "/" || time.Since(start) > patience {
			t.Errorf("%s: after %s to %q %s", mood, time.Since(start), a.header.Get("HX-Redirect"), diff)
		}
		if got := w.logged(a); !strings.Contains(got, "sign-in") {
			t.Errorf("%s: logged %q", mood, got)
		}
	}
}
