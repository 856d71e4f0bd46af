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

// ask sends a request with the cookie through the middleware.
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
	k.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = session.From(r.Context()) })).ServeHTTP(w, r)
	return got, w.Header()
}

func TestMiddleware(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	good := issuer.Mint(7, "curator")
	const clear, clearSecure = "craftista_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", "__Host-craftista_session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
	for name, c := range map[string]struct {
		secure, https bool
		cookie        *http.Cookie
		state         session.State
		set           string
	}{
		"nobody":                     {cookie: nil, state: session.SignedOut},
		"an empty cookie":            {cookie: &http.Cookie{Name: "craftista_session"}, state: session.SignedOut},
		"a good one":                 {cookie: &http.Cookie{Name: "craftista_session", Value: good}, state: session.SignedIn},
		"a good one over https":      {https: true, cookie: &http.Cookie{Name: "__Host-craftista_session", Value: good}, state: session.SignedIn},
		"a good one behind a proxy":  {secure: true, cookie: &http.Cookie{Name: "__Host-craftista_session", Value: good}, state: session.SignedIn},
		"the plain one over https":   {https: true, cookie: &http.Cookie{Name: "craftista_session", Value: good}, state: session.SignedOut},
		"the secure one over http":   {cookie: &http.Cookie{Name: "__Host-craftista_session", Value: good}, state: session.SignedOut},
		"a bad one":                  {cookie: &http.Cookie{Name: "craftista_session", Value: "bad"}, state: session.RunOut, set: clear},
		"a bad one over https":       {https: true, cookie: &http.Cookie{Name: "__Host-craftista_session", Value: "bad"}, state: session.RunOut, set: clearSecure},
		"a good one with a tail":     {cookie: &http.Cookie{Name: "craftista_session", Value: good + "x"}, state: session.RunOut, set: clear},
		"another site's cookie name": {cookie: &http.Cookie{Name: "session", Value: good}, state: session.SignedOut},
	} {
		got, h := ask(t, session.NewKeeper(issuer.Verifier(), c.secure), c.cookie, c.https)
		if got.State != c.state || h.Get("Set-Cookie") != c.set {
			t.Errorf("%s: state %d and cookie %q, want %d and %q", name, got.State, h.Get("Set-Cookie"), c.state, c.set)
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

func TestStartReplacesClear(t *testing.T) {
	t.Parallel()
	k := session.NewKeeper(tokentest.New(t).Verifier(), false)
	r, w := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/login", nil), httptest.NewRecorder()
	k.End(w, r)
	k.Start(w, r, "the-token", 15*time.Minute)
	if diff := cmp.Diff([]string{"craftista_session=the-token; Path=/; Max-Age=900; HttpOnly; SameSite=Lax"}, w.Header().Values("Set-Cookie")); diff != "" {
		t.Error(diff)
	}
}
