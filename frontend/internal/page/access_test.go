package page_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"craftista/frontend/internal/page"
	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
)

const saysExpired = "Your session has expired. Sign in again to continue where you were."

func (w *website) expired() option { return as(w.ending(-time.Hour)) }

// ending is an access token that ends in d from now.
func (w *website) ending(d time.Duration) string {
	return w.issuer.MintWith(7, "user",
		func(_ *jwt.Token, c *token.Claims) { c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(d)) })
}

// TestExpiryIsTold is a browser that kept the cookie longer than the token was
// good: the sign-in says so, and only then is the cookie cleared.
func TestExpiryIsTold(t *testing.T) {
	w := startWebsite(t)
	clear := clearedCookies()[0]
	plain := w.post("/origamis/2/vote", nil, w.expired(),
		header("Referer", w.site.URL+"/?sort=name")).header.Get("Location")
	htmx := w.post("/origamis/2/vote", nil, w.expired(), w.byHtmx("/?sort=name")).header.Get("HX-Redirect")
	for name, path := range map[string]string{"without htmx": plain, "in htmx": htmx,
		"by the link": "/login?next=%2F%3Fsort%3Dname%23piece-2"} {
		a := w.get(path, w.expired())
		got := []string{text(a.tags("h1")[0]), text(a.class("why")), attr(a.tags("input")[0], "value"),
			a.header.Get("Set-Cookie")}
		check(t, name, got, []string{"Sign in", saysExpired, "/?sort=name#piece-2", clear})
	}
	check(t, "sign-out", w.post("/logout", nil, w.expired()).header.Get("Set-Cookie"), clear)
	a := w.post("/login", ada(), w.expired())
	check(t, "signing in again", len(a.header.Values("Set-Cookie")), 2, a.header.Values("Set-Cookie")[0],
		begins("craftista_session=ey"))
	a = w.get("/login")
	check(t, "once cleared", text(a.class("why")), "", a.header.Get("Set-Cookie"), "")
}

// TestNoPersonNoWait holds that what needs no person asks auth nothing, whatever
// the cookie: auth hangs, and nobody notices.
func TestNoPersonNoWait(t *testing.T) {
	t.Parallel()
	inRealTime(t, func(t *testing.T, w *website) {
		w.auth.failure.Store(hanging)
		for _, path := range []string{
			"/livez", "/readyz", "/health", "/api/system-info", "/favicon.ico", "/robots.txt", "/openapi.json", "/docs",
			"/static/css/site.css", "/static/icon.svg", "/api/products", "/api/origamis/1/votes", "/daily-origami",
		} {
			w.get(path, w.signedIn).check(t, path, 200)
		}
		check(t, "the answer", w.auth.asked.Load(), int32(0))
		a := w.promptly("/", w.signedIn)
		check(t, "the gallery", text(a.class("site-nav")), "Gallery Today Status Sign-in unavailable",
			w.auth.asked.Load() > 0, true)
	})
}

// renewed are the cookies that a renewal sets, without their values.
func renewed() []string {
	return []string{
		"craftista_session; Path=/; Max-Age=2678400; HttpOnly; SameSite=Lax",
		"craftista_refresh; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax",
	}
}

// TestRenewal renews within the request that needs it, whatever its answer is.
func TestRenewal(t *testing.T) {
	w := startWebsite(t)
	access := map[string]string{"expired": w.ending(-time.Hour), "about to end": w.ending(20 * time.Second), "missing": "",
		"bad": "nonsense"}
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
		"no such product":  {"POST", "/origamis/99/vote", nil, 404},
		"the sign-in page": {"GET", "/login", nil, 303},
		"a HEAD":           {"HEAD", "/", nil, 200},
	} {
		for state, token := range access {
			before := w.refreshes.Load()
			a := w.do(c.method, c.path, nil, append(c.options, with(token, "r-"+name+state))...)
			what := name + " with a token " + state
			values := a.cookies(t, what, renewed())
			a.check(t, what, c.status, w.refreshes.Load(), before+1)
			check(t, what, a.header.Get("Cache-Control"), has("no-store"), values[0], begins("ey"), values[1], begins("r"))
			check(t, what, a.body, lacks(values[0]), w.log.String(), lacks("r-"+name), w.log.String(), lacks(values[0]))
		}
	}
	check(t, "a token that lasts", w.get("/", with(w.ending(time.Minute), "r0")).header.Get("Set-Cookie"), "")
}

// TestReplicasRenewEach holds that each replica asks auth, whose grace serves both.
func TestReplicasRenewEach(t *testing.T) {
	w := startWebsite(t)
	replica := httptest.NewServer(w.router(page.Settings{}))
	defer replica.Close()
	someone := with(w.ending(-time.Hour), "r0")
	first := w.get("/", someone)
	w.site.URL, replica.URL = replica.URL, w.site.URL
	second := w.get("/", someone)
	for name, a := range map[string]answer{"first": first, "second": second} {
		check(t, name, text(a.class("site-nav")), has("person-7"), len(a.header.Values("Set-Cookie")), 2)
	}
	check(t, "the answer", w.refreshes.Load(), int32(2))
}

// TestFamilyGone signs the person out at once, and says so when they act.
func TestFamilyGone(t *testing.T) {
	w := startWebsite(t)
	for name, token := range map[string]string{"expired": w.ending(-time.Hour), "missing": "",
		"still good": w.ending(20 * time.Second)} {
		a := w.get("/", with(token, "gone"))
		note := "craftista_session=ended; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax"
		check(t, name, []string{note, clearedCookies()[1]}, a.header.Values("Set-Cookie"), text(a.class("site-nav")),
			"Gallery Today Status Sign in Join")
		a = w.post("/origamis/2/vote", nil, with(token, "gone"))
		checkSignIn(t, name, a, a.header.Get("Location"), http.StatusSeeOther, "/origamis/2#piece-2", "expired", false)
		a = w.get("/login?next=/origamis/2", with(token, "gone"))
		check(t, name, a.header.Values("Set-Cookie"), clearedCookies(), text(a.class("why")), saysExpired)
	}
	before := w.auth.asked.Load()
	ended := as("ended") // what the browser has now
	a := w.post("/origamis/2/vote", nil, ended, w.byHtmx("/"))
	checkSignIn(t, "later", a, a.header.Get("HX-Redirect"), http.StatusNoContent, "/#piece-2", "expired", false)
	a = w.get("/login", ended)
	check(t, "later, the sign-in", text(a.class("why")), saysExpired, len(a.header.Values("Set-Cookie")), 2)
	check(t, "the answer", w.auth.asked.Load(), before)
}

// TestAuthAwayAtRenewal keeps the cookies; a token that is still good is used. Sign-out
// clears them.
func TestAuthAwayAtRenewal(t *testing.T) {
	onEachFailure(t, inRealTime, func(t *testing.T, w *website, fail func(*fake)) {
		w.get("/", w.signedIn) // fetches the keys
		fail(w.auth)
		good, expired := with(w.ending(25*time.Second), "r0"), with(w.ending(-time.Hour), "r0")
		for name, c := range map[string]struct {
			answer answer
			status int
			shows  string
		}{
			"still good":         {w.promptly("/", good), 200, "person-7"},
			"a vote, still good": {w.post("/origamis/1/vote", nil, good), 303, ""},
			"expired":            {w.promptly("/", expired), 200, "Sign-in unavailable"},
			"missing":            {w.promptly("/", with("", "r0")), 200, "Sign-in unavailable"},
			"the sign-in":        {w.promptly("/login", expired), 200, "Sign-in is not responding"},
			"a vote, expired":    {w.post("/origamis/2/vote", nil, expired), 503, "Not available right now"},
			"a vote in htmx": {w.post("/origamis/2/vote", nil, expired, w.byHtmx("/")), 503,
				"Sign-in is not available right now. Please try again"},
			"a script's, expired":   {w.post("/api/origamis/2/vote", nil, expired), 503, "sign-in is not available right now"},
			"a script's still good": {w.post("/api/origamis/1/vote", nil, good), 200, "42"},
		} {
			c.answer.check(t, name, c.status, c.answer.body, has(c.shows), c.answer.header.Get("Set-Cookie"), "")
		}
		check(t, "votes", w.mine, map[int64]bool{1: true})
		a := w.post("/logout", nil, good, w.byHtmx("/"))
		check(t, "sign-out", a.header.Values("Set-Cookie"), clearedCookies(), a.header.Get("HX-Redirect"), "/",
			w.logged(a), has("sign-in"))
	})
}

func clearedCookies() []string {
	return []string{
		"craftista_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
		"craftista_refresh=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
	}
}

// TestSignOutRevokes ends the session at auth too; TestAuthAwayAtRenewal has it without auth.
func TestSignOutRevokes(t *testing.T) {
	w := startWebsite(t)
	a := w.post("/logout", nil, with(w.issuer.Mint(7, "user"), "r0"))
	check(t, "the answer", a.header.Values("Set-Cookie"), clearedCookies(), a.header.Get("Location"), "/")
	check(t, "with the old refresh token", text(w.get("/", with("", "r0")).class("site-nav")),
		"Gallery Today Status Sign in Join")
}
