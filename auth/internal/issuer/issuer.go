// Package issuer mints the tokens that all of Craftista trusts: access tokens and
// ID tokens.
package issuer

import (
	"crypto/rand"
	"encoding/json"
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
	URL      string          // the claim iss
	Lifetime time.Duration   // of an access token
	Verifier *token.Verifier // of the issuer's own access tokens
	audience string
	keys     *keys.Set
}

// New returns the issuer at url of tokens for audience, which expire after
// lifetime.
func New(signing *keys.Set, url, audience string, lifetime time.Duration) *Issuer {
	return &Issuer{
		URL: url, Lifetime: lifetime, Verifier: token.NewVerifier(signing, url, audience),
		audience: audience, keys: signing,
	}
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
	return i.keys.Sign(token.Type, claims)
}

func (i *Issuer) registered(subject, audience string, now time.Time) jwt.RegisteredClaims {
	return jwt.RegisteredClaims{
		Issuer: i.URL, Subject: subject, Audience: jwt.ClaimStrings{audience},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(i.Lifetime)), ID: rand.Text(),
	}
}

// JWKS is the JWK Set by which others verify the tokens. The caller does not
// change it.
func (i *Issuer) JWKS() json.RawMessage { return i.keys.JWKS() }
