package session_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"craftista/frontend/internal/session"
	"craftista/shared/token/tokentest"

	"github.com/google/go-cmp/cmp"
)

// ask sends a request with the cookie through the middleware to a handler that
// asks twice who it is.
func ask(t *testing.T, k *session.Keeper, cookie *http.Cookie, https bool) (session.Session, http.Header) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if cookie != nil {
		r.AddCookie(cookie)
	}
	if https {
		r.TLS = &tls.ConnectionState{}
	}
	var got session.Session
	w := httptest.NewRecorder()
	k.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = session.From(r.Context())
		if diff := cmp.Diff(got, session.From(r.Context())); diff != "" {
			t.Errorf("asked again: %s", diff)
		}
	})).ServeHTTP(w, r)
	return got, w.Header()
}

func TestMiddleware(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	good := issuer.Mint(7, "curator")
	for name, c := range map[string]struct {
		secure, https bool
		cookie        *http.Cookie
		state         session.State
	}{
		"nobody":                     {cookie: nil, state: session.SignedOut},
		"an empty cookie":            {cookie: &http.Cookie{Name: "craftista_session"}, state: session.SignedOut},
		"a good one":                 {cookie: &http.Cookie{Name: "craftista_session", Value: good}, state: session.SignedIn},
		"a good one over https":      {https: true, cookie: &http.Cookie{Name: "__Host-craftista_session", Value: good}, state: session.SignedIn},
		"a good one behind a proxy":  {secure: true, cookie: &http.Cookie{Name: "__Host-craftista_session", Value: good}, state: session.SignedIn},
		"the plain one over https":   {https: true, cookie: &http.Cookie{Name: "craftista_session", Value: good}, state: session.SignedOut},
		"the secure one over http":   {cookie: &http.Cookie{Name: "__Host-craftista_session", Value: good}, state: session.SignedOut},
		"a bad one":                  {cookie: &http.Cookie{Name: "craftista_session", Value: "bad"}, state: session.RunOut},
		"a bad one over https":       {https: true, cookie: &http.Cookie{Name: "__Host-craftista_session", Value: "bad"}, state: session.RunOut},
		"a good one with a tail":     {cookie: &http.Cookie{Name: "craftista_session", Value: good + "x"}, state: session.RunOut},
		"another site's cookie name": {cookie: &http.Cookie{Name: "session", Value: good}, state: session.SignedOut},
	} {
		got, h := ask(t, session.NewKeeper(issuer.Verifier(), c.secure), c.cookie, c.https)
		if got.State != c.state || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: state %d and cookie %q, want %d and none", name, got.State, h.Get("Set-Cookie"), c.state)
		}
		if signedIn := c.state == session.SignedIn; (got.User.ID == 7 && got.User.Role == "curator" && got.Token == good) != signedIn {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestKeysOutOfReach(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	issuer.Down.Store(true)
	good := issuer.Mint(7, "user")
	got, h := ask(t, session.NewKeeper(issuer.Verifier(), false), &http.Cookie{Name: "craftista_session", Value: good}, false)
	if diff := cmp.Diff(session.Session{State: session.Unknown, Token: good}, got); diff != "" || h.Get("Set-Cookie") != "" {
		t.Errorf("%s, cookie %q", diff, h.Get("Set-Cookie"))
	}
}

// TestCookies holds what Start and End send; the cookie outlives the token by a
// day, so that a session that has run out is not taken for none.
func TestCookies(t *testing.T) {
	t.Parallel()
	k := session.NewKeeper(tokentest.New(t).Verifier(), false)
	r, w := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil), httptest.NewRecorder()
	k.Start(w, r, "the-token", 15*time.Minute)
	k.End(w, r)
	want := []string{
		"craftista_session=the-token; Path=/; Max-Age=87300; HttpOnly; SameSite=Lax",
		"craftista_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
	}
	if diff := cmp.Diff(want, w.Header().Values("Set-Cookie")); diff != "" {
		t.Error(diff)
	}
}

// TestNobodyAsked holds that a request whose handler needs no person waits for
// no keys.
func TestNobodyAsked(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "craftista_session", Value: issuer.Mint(7, "user")})
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	session.NewKeeper(issuer.Verifier(), false).Middleware(next).ServeHTTP(httptest.NewRecorder(), r)
	if got := issuer.Fetches.Load(); got != 0 {
		t.Errorf("%d fetches of keys, want 0", got)
	}
}
