// Package session keeps a person signed in: an access token and the refresh
// token that renews it travel in cookies that scripts cannot read, and each
// request finds in them who asks.
package session

import (
	"context"
	"net/http"
	"sync"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"

	"golang.org/x/sync/singleflight"
)

// early is how long before its end an access token is renewed, so that it lasts
// for what the request still has to ask of others.
const early = 30 * time.Second

// State is what a request's cookies amount to.
type State uint8

// The states.
const (
	SignedOut State = iota // no cookies
	SignedIn               // a good token
	Expired                // a session that has ended; a cookie stays until the person was told
	Unknown                // auth does not answer; the cookies stay
)

// Session is one request's. The zero value is nobody's.
type Session struct {
	State State
	User  token.User // set when SignedIn
	Token string     // the bearer for calls to other services; set when SignedIn, and when Unknown if there is one to try
}

// Manager reads and writes the cookies. It is safe for concurrent use.
type Manager struct {
	verifier *token.Verifier
	auth     backend.Auth
	renewals singleflight.Group // by refresh token
	secure   bool
	now      func() time.Time
}

// NewManager returns a keeper that trusts what verifier does and renews tokens at
// auth. secure says that people reach the site by https even where the request
// itself does not show it.
func NewManager(verifier *token.Verifier, auth backend.Auth, secure bool, now func() time.Time) *Manager {
	return &Manager{verifier: verifier, auth: auth, secure: secure, now: now}
}

// contextKey finds in a request's context the func() Session that reads its cookies.
type contextKey struct{}

// From is the session of the request that passed Middleware, the zero Session
// without it. The first call of a request checks the token, may wait for auth,
// and may set cookies: make it before the response's header is written, and only
// for a response that no cache keeps.
func From(ctx context.Context) Session {
	if read, ok := ctx.Value(contextKey{}).(func() Session); ok {
		return read()
	}
	return Session{}
}

// WithoutSession is the context of a request whose session turned out to have
// ended: From is nobody's session there.
func WithoutSession(ctx context.Context) context.Context {
	return context.WithValue(ctx, contextKey{}, nil)
}

// Middleware lets From find the request's session. It checks nothing itself: what
// needs no person, liveness above all, depends on no other process.
func (k *Manager) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read := sync.OnceValue(func() Session { return k.read(w, r) })
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, read)))
	})
}

// read finds out who asks, and renews an access token that is missing, bad or about
// to end. Only auth's own refusal ends a session.
func (k *Manager) read(w http.ResponseWriter, r *http.Request) Session {
	s, refresh := k.check(r.Context(), k.cookie(r, accessCookie)), k.cookie(r, refreshCookie)
	lasting := s.State == SignedIn && k.now().Before(s.User.Expires.Add(-early))
	if refresh == "" || lasting || s.State == Unknown {
		return s
	}
	grant, err := k.renew(r.Context(), refresh)
	if err == nil {
		k.Start(w, r, grant)
		return k.check(r.Context(), grant.AccessToken)
	}
	web.RecordError(r.Context(), err)
	switch {
	case fault.KindOf(err) == fault.Unauthenticated:
		k.expire(w, r)
		return Session{State: Expired}
	case s.State == SignedIn && k.now().Before(s.User.Expires):
		return s
	default:
		return Session{State: Unknown}
	}
}

// check is what an access token alone amounts to. A token
// of an OAuth client is not accepted: the client could approve its own consent.
func (k *Manager) check(ctx context.Context, access string) Session {
	if access == "" {
		return Session{}
	}
	user, err := k.verifier.Verify(ctx, access)
	switch {
	case fault.KindOf(err) == fault.Unavailable:
		web.RecordError(ctx, err)
		return Session{State: Unknown, Token: access}
	case err != nil, user.ClientID != "":
		return Session{State: Expired}
	}
	return Session{State: SignedIn, User: user, Token: access}
}

// SignOut signs the browser out and revokes the session at auth. It succeeds even
// if auth is unavailable: then the refresh token stays good there until it expires,
// and nobody has it any more.
func (k *Manager) SignOut(w http.ResponseWriter, r *http.Request) {
	if refresh := k.cookie(r, refreshCookie); refresh != "" {
		if err := k.auth.Logout(r.Context(), refresh); err != nil {
			web.RecordError(r.Context(), err)
		}
	}
	k.End(w, r)
}

// Renew gets new tokens at once, so that what has changed about the person shows:
// their role. If it does not work, that shows with the next renewal.
func (k *Manager) Renew(w http.ResponseWriter, r *http.Request) {
	refresh := k.cookie(r, refreshCookie)
	if refresh == "" {
		return
	}
	grant, err := k.renew(r.Context(), refresh)
	if err != nil {
		web.RecordError(r.Context(), err)
		return
	}
	k.Start(w, r, grant)
}
