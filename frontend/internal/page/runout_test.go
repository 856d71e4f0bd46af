package page_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"craftista/frontend/internal/page"
	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

const saysExpired = "Your session has run out. Sign in again and you are back where you were."

func (w *website) expired() option { return as(w.ending(-time.Hour)) }

// ending is an access token that ends in d from now.
func (w *website) ending(d time.Duration) string {
	return w.issuer.MintWith(7, "user", func(_ *jwt.Token, c *token.Claims) { c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(d)) })
}

// TestRunOutIsTold is a browser that kept the cookie longer than the token was
// good: the sign-in says so, and only then is the cookie cleared.
func TestExpiryIsTold(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	const clear = "craftista_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
	plain := w.post("/origamis/2/vote", nil, w.expired(), header("Referer", w.site.URL+"/?sort=name")).header.Get("Location")
	htmx := w.post("/origamis/2/vote", nil, w.expired(), w.byHtmx("/?sort=name")).header.Get("HX-Redirect")
	for name, path := range map[string]string{"without htmx": plain, "in htmx": htmx, "by the link": "/login?next=%2F%3Fsort%3Dname%23piece-2"} {
		a := w.get(path, w.expired())
		got := []string{text(a.tags("h1")[0]), text(a.class("why")), attr(a.tags("input")[0], "value"), a.header.Get("Set-Cookie")}
		if diff := cmp.Diff([]string{"Sign in", saysExpired, "/?sort=name#piece-2", clear}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if a := w.post("/logout", nil, w.expired()); a.header.Get("Set-Cookie") != clear {
		t.Errorf("sign-out: cookie %q", a.header.Get("Set-Cookie"))
	}
	a := w.post("/login", ada(), w.expired())
	if got := a.header.Values("Set-Cookie"); len(got) != 2 || !strings.HasPrefix(got[0], "craftista_session=ey") {
		t.Errorf("signing in again: cookies %q", got)
	}
	if a := w.get("/login"); text(a.class("why")) != "" || a.header.Get("Set-Cookie") != "" {
		t.Errorf("once cleared: %q, cookie %q", text(a.class("why")), a.header.Get("Set-Cookie"))
	}
}

// TestNoPersonNoWait holds that what needs no person asks auth nothing, whatever
// the cookie: auth hangs, and nobody notices.
func TestNoPersonNoWait(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	w.auth.mood.Store(hanging)
	someone := as(w.issuer.Mint(7, "user"))
	for _, path := range []string{
		"/livez", "/readyz", "/health", "/api/system-info", "/favicon.ico", "/robots.txt", "/openapi.json", "/docs",
		"/static/css/site.css", "/static/icon.svg", "/api/products", "/api/origamis/1/votes", "/daily-origami",
	} {
		if a := w.get(path, someone); a.status != http.StatusOK {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if got := w.auth.asked.Load(); got != 0 {
		t.Errorf("auth was asked %d times, want 0", got)
	}
	a := w.promptly("/", someone)
	if got, want := text(a.class("site-nav")), "Gallery Today Status Sign-in is away"; got != want || w.auth.asked.Load() == 0 {
		t.Errorf("the gallery shows %q, want %q, and asked auth %d times", got, want, w.auth.asked.Load())
	}
}
