// Package issuer mints the tokens that all of Craftista trusts: access tokens and
// ID tokens.
package issuer

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"time"

	"craftista/auth/internal/keys"
	"craftista/auth/internal/session"
	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
)

// Issuer mints tokens. It is safe for concurrent use.
type Issuer struct {
	URL       string          // the claim iss
	Lifetime  time.Duration   // of an access token
	Verifier  *token.Verifier // of the issuer's own access tokens
	*keys.Set                 // what it signs with and publishes
	audience  string
	sessions  *session.Manager
}

// revokedMargin is for clocks that differ, and tokens minted while their sign-in was revoked.
const revokedMargin = time.Minute

// New returns the issuer at url of tokens for audience, which expire after
// lifetime.
func New(signing *keys.Set, sessions *session.Manager, url, audience string, lifetime time.Duration) *Issuer {
	i := &Issuer{URL: url, Lifetime: lifetime, Set: signing, audience: audience, sessions: sessions}
	i.Verifier = token.NewVerifier(i, url, audience)
	return i
}

// Revoked implements token.Source.
func (i *Issuer) Revoked(ctx context.Context, session string) (bool, error) {
	revoked, err := i.RevokedSessions(ctx)
	return slices.Contains(revoked, session), err
}

// RevokedSessions are the sign-ins, as sid has them, that were revoked so lately
// that an access token of theirs may not have expired.
func (i *Issuer) RevokedSessions(ctx context.Context) ([]string, error) {
	return i.sessions.Revoked(ctx, i.Lifetime+revokedMargin)
}

// Mint returns an access token for the person of the family, valid from now on: a
// JWT of RFC 9068 section 2 (typ at+jwt, iss, exp, aud, sub, iat, jti), whose sid is
// the family. jti has 130 random bits. One of the site has no client_id, and the
// person's name and role. By one of an OAuth client, that acts for the person within
// scope: whatever the person is, the role is the least, and the name is there only
// with the scope profile.
func (i *Issuer) Mint(f session.Family, scope string, now time.Time) (string, error) {
	claims := token.Claims{
		RegisteredClaims: i.registered(strconv.FormatInt(f.Person.ID, 10), i.audience, now),
		Session:          strconv.FormatInt(f.ID, 10), ClientID: f.ClientID, Scope: scope,
		Username: f.Person.Username, Role: f.Person.Role,
	}
	if f.ClientID != "" {
		claims.Role = token.RoleUser
		if !slices.Contains(strings.Fields(scope), "profile") {
			claims.Username = ""
		}
	}
	return i.Sign(token.Type, claims)
}

func (i *Issuer) registered(subject, audience string, now time.Time) jwt.RegisteredClaims {
	return jwt.RegisteredClaims{
		Issuer: i.URL, Subject: subject, Audience: jwt.ClaimStrings{audience},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(i.Lifetime)), ID: rand.Text(),
	}
}
