package session_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/session"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

// ask sends a request with the cookies through the middleware to a handler that
// asks twice who it is and answers 304.
func ask(t *testing.T, k *session.Manager, https bool, cookies ...*http.Cookie) (session.Session, http.Header) {
	t.Helper()
	return askWithin(t.Context(), t, k, https, cookies...)
}

func askWithin(ctx context.Context, t *testing.T, k *session.Manager, https bool,
	cookies ...*http.Cookie) (session.Session, http.Header) {
	t.Helper()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	if https {
		r.TLS = &tls.ConnectionState{}
	}
	var got session.Session
	w := httptest.NewRecorder()
	k.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = session.From(r.Context())
		if diff := cmp.Diff(got, session.From(r.Context())); diff != "" {
			t.Errorf("asked again: %s", diff)
		}
		w.WriteHeader(http.StatusNotModified)
	})).ServeHTTP(w, r)
	return got, w.Result().Header
}

// nowhere is auth that cannot be reached.
func nowhere() backend.Auth {
	return backend.New(backend.URLs{Auth: "http://127.0.0.1:1"}, "", backend.PageTimeout, telemetry.Discard()).Auth
}

func TestMiddleware(t *testing.T) {
	t.Parallel()
	const plain, prefixed = "craftista_session", "__Host-craftista_session"
	issuer := tokentest.New(t)
	good := issuer.Mint(7, "curator")
	revoked := issuer.MintWith(7, "curator", func(_ *jwt.Token, c *token.Claims) { c.Session = "1" })
	application := issuer.MintWith(7, "curator", func(_ *jwt.Token, c *token.Claims) {
		c.ClientID, c.Scope = "birds", "openid"
	})
	for name, c := range map[string]struct {
		secure, https bool
		cookie, value string
		state         session.State
	}{
		"nobody":                     {state: session.SignedOut},
		"an empty cookie":            {cookie: plain, state: session.SignedOut},
		"a good one":                 {cookie: plain, value: good, state: session.SignedIn},
		"a good one over https":      {https: true, cookie: prefixed, value: good, state: session.SignedIn},
		"a good one behind a proxy":  {secure: true, cookie: prefixed, value: good, state: session.SignedIn},
		"the plain one over https":   {https: true, cookie: plain, value: good, state: session.SignedOut},
		"the secure one over http":   {cookie: prefixed, value: good, state: session.SignedOut},
		"a bad one":                  {cookie: plain, value: "bad", state: session.Expired},
		"a bad one over https":       {https: true, cookie: prefixed, value: "bad", state: session.Expired},
		"a revoked sign-in's":        {cookie: plain, value: revoked, state: session.Expired},
		"a good one with a tail":     {cookie: plain, value: good + "x", state: session.Expired},
		"an application's own":       {cookie: plain, value: application, state: session.Expired},
		"another site's cookie name": {cookie: "session", value: good, state: session.SignedOut},
	} {
		var cookies []*http.Cookie
		if c.cookie != "" {
			cookies = append(cookies, &http.Cookie{Name: c.cookie, Value: c.value})
		}
		got, h := ask(t, session.NewManager(issuer.Verifier(), nowhere(), c.secure, time.Now), c.https, cookies...)
		if got.State != c.state || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: state %d and cookie %q, want %d and none", name, got.State, h.Get("Set-Cookie"), c.state)
		}
		if signedIn := c.state == session.SignedIn; (got.User.ID == 7 && got.User.Role == "curator" &&
			got.Token == good) != signedIn {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestKeysOutOfReach(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	issuer.Down.Store(true)
	good := issuer.Mint(7, "user")
	k := session.NewManager(issuer.Verifier(), nowhere(), false, time.Now)
	got, h := ask(t, k, false, &http.Cookie{Name: "craftista_session", Value: good},
		&http.Cookie{Name: "craftista_refresh", Value: "r0"})
	if diff := cmp.Diff(session.Session{State: session.Unknown, Token: good}, got); diff != "" ||
		h.Get("Set-Cookie") != "" {
		t.Errorf("%s, cookie %q", diff, h.Get("Set-Cookie"))
	}
}

// TestCookies holds what Start and End send. The access token's outlives the
// session by a day, so that one that expired is not taken for none; what a
// response said of a cookie before is taken back.
func TestCookies(t *testing.T) {
	t.Parallel()
	k := session.NewManager(tokentest.New(t).Verifier(), nowhere(), false, time.Now)
	r, w := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil), httptest.NewRecorder()
	http.SetCookie(w, &http.Cookie{Name: "another", Value: "1"})
	for _, step := range []struct {
		act  func()
		want []string
	}{
		{func() {
			k.Start(w, r, backend.Grant{AccessToken: "a", RefreshToken: "r", RefreshLife: time.Hour})
		}, []string{
			"another=1", "craftista_session=a; Path=/; Max-Age=90000; HttpOnly; SameSite=Lax",
			"craftista_refresh=r; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax",
		}},
		{func() { k.End(w, r) }, []string{
			"another=1", "craftista_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
			"craftista_refresh=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
		}},
	} {
		step.act()
		if diff := cmp.Diff(step.want, w.Header().Values("Set-Cookie")); diff != "" {
			t.Error(diff)
		}
	}
}

// TestNobodyAsked holds that a request whose handler needs no person waits for
// no keys.
func TestNobodyAsked(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "craftista_session", Value: issuer.Mint(7, "user")})
	r.AddCookie(&http.Cookie{Name: "craftista_refresh", Value: "r0"})
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	session.NewManager(issuer.Verifier(), nowhere(), false, time.Now).Middleware(next).ServeHTTP(httptest.NewRecorder(), r)
	if got := issuer.Fetches.Load(); got != 0 {
		t.Errorf("%d fetches of keys, want 0", got)
	}
}
