// Package issuer mints the tokens that all of Craftista trusts: access tokens and
// ID tokens.
package issuer

import (
	"crypto/rand"
	"encoding/json"
	"strconv"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/keys"
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

// Mint returns an access token for the person, valid from now on, with the family
// that it belongs to as sid. It is a JWT of RFC 9068 section 2 (typ at+jwt, iss,
// exp, aud, sub, iat, jti), but for client_id, since people sign in here without
// an OAuth client; besides it has the person's name and role. jti has 130 random
// bits.
func (i *Issuer) Mint(p account.Person, familyID int64, now time.Time) (string, error) {
	return i.keys.Sign(token.Type, token.Claims{
		RegisteredClaims: i.registered(strconv.FormatInt(p.ID, 10), i.audience, now),
		Username:         p.Username, Role: p.Role, Session: strconv.FormatInt(familyID, 10),
	})
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
