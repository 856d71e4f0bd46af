// Package session keeps a person signed in: the access token travels in a
// cookie that scripts cannot read, and each request learns from it who asks.
package session

import (
	"context"
	"net/http"
	"time"

	"craftista/shared/fault"
	"craftista/shared/token"
)

// The cookie's names. The prefix __Host- makes the browser insist on Secure,
// Path=/ and no Domain (RFC 6265bis section 4.1.3.2), so it exists on https only.
const (
	cookiePlain  = "craftista_session"
	cookieSecure = "__Host-" + cookiePlain
)

// State is what a request's cookie amounts to.
type State uint8

// The states.
const (
	SignedOut State = iota // no cookie
	SignedIn               // a good token
	RunOut                 // a token that is expired or bad; its cookie has been cleared
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

// From is the session that Middleware found, the zero Session without it.
func From(ctx context.Context) Session {
	s, _ := ctx.Value(sessionKey{}).(Session)
	return s
}

// Middleware puts the request's session into its context. A token that does not
// pass clears the cookie; one that cannot be checked keeps it.
func (k *Keeper) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := k.read(r)
		if s.State == RunOut {
			k.End(w, r)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, s)))
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
		return Session{State: Unknown, Token: cookie.Value}
	case err != nil:
		return Session{State: RunOut}
	}
	return Session{State: SignedIn, User: user, Token: cookie.Value}
}

// Start signs the browser in with an access token that lives that long.
func (k *Keeper) Start(w http.ResponseWriter, r *http.Request, accessToken string, life time.Duration) {
	k.set(w, r, accessToken, max(1, int(life/time.Second)))
}

// End signs the browser out.
func (k *Keeper) End(w http.ResponseWriter, r *http.Request) { k.set(w, r, "", -1) }

// set replaces whatever this response said about the cookie before (RFC 6265
// section 4.1.1: one Set-Cookie per name).
func (k *Keeper) set(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	w.Header().Del("Set-Cookie")
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
