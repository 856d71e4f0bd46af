// Package session keeps a person signed in: the access token travels in a
// cookie that scripts cannot read, and each request learns from it who asks.
package session

import (
	"context"
	"net/http"
	"sync"
	"time"

	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"
)

// The cookie's names. The prefix __Host- makes the browser insist on Secure,
// Path=/ and no Domain (RFC 6265bis section 4.1.3.2), so it exists on https only.
const (
	cookiePlain  = "craftista_session"
	cookieSecure = "__Host-" + cookiePlain
)

// afterlife is how much longer the cookie lives than the token in it. A browser
// drops a cookie in silence; a token that has run out says that it has.
const afterlife = 24 * time.Hour

// State is what a request's cookie amounts to.
type State uint8

// The states.
const (
	SignedOut State = iota // no cookie
	SignedIn               // a good token
	RunOut                 // a token that is expired or bad; the cookie stays until the person was told
	Unknown                // a token that cannot be checked now: auth is away and its keys were never fetched
)

// Session is one request's. The zero value is nobody's.
type Session struct {
	State State
	User  token.User // set when SignedIn
	Token string     // the bearer for calls to other services; set when SignedIn or Unknown
}

// Keeper reads and writes the cookie. It is safe for concurrent use.
type Keeper struct {
	verifier *token.Verifier
	secure   bool
}

// NewKeeper returns a keeper that trusts what verifier does. secure says that
// people reach the site by https even where the request itself does not show it.
func NewKeeper(verifier *token.Verifier, secure bool) *Keeper {
	return &Keeper{verifier: verifier, secure: secure}
}

type sessionKey struct{}

// From is the session of the request that passed Middleware, the zero Session
// without it. The first call of a request checks the token, and may wait for
// auth's keys.
func From(ctx context.Context) Session {
	if read, ok := ctx.Value(sessionKey{}).(func() Session); ok {
		return read()
	}
	return Session{}
}

// Middleware lets From find the request's session. It looks at nothing itself:
// what needs no person, liveness above all, depends on no other process.
func (k *Keeper) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read := sync.OnceValue(func() Session { return k.read(r) })
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, read)))
	})
}

func (k *Keeper) read(r *http.Request) Session {
	cookie, err := r.Cookie(k.name(r))
	if err != nil || cookie.Value == "" {
		return Session{}
	}
	user, err := k.verifier.Verify(r.Context(), cookie.Value)
	switch {
	case fault.KindOf(err) == fault.Unavailable:
		web.NoteFailure(r.Context(), err)
		return Session{State: Unknown, Token: cookie.Value}
	case err != nil:
		return Session{State: RunOut}
	}
	return Session{State: SignedIn, User: user, Token: cookie.Value}
}

// Start signs the browser in with an access token that lives that long.
func (k *Keeper) Start(w http.ResponseWriter, r *http.Request, accessToken string, life time.Duration) {
	k.set(w, r, accessToken, int((life+afterlife)/time.Second))
}

// End signs the browser out.
func (k *Keeper) End(w http.ResponseWriter, r *http.Request) { k.set(w, r, "", -1) }

func (k *Keeper) set(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure on https; on plain http, a laptop's, the browser would drop it
		Name: k.name(r), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: k.https(r), SameSite: http.SameSiteLaxMode,
	})
}

func (k *Keeper) name(r *http.Request) string {
	if k.https(r) {
		return cookieSecure
	}
	return cookiePlain
}

func (k *Keeper) https(r *http.Request) bool { return k.secure || r.TLS != nil }
