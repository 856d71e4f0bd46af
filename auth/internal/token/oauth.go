package token

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"craftista/auth/internal/account"
	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
)

// MintFor returns an access token by which an OAuth client acts for the person of
// the family, within scope (RFC 9068 section 2.2). Whatever the person is, the
// role in it is the least, and the name is there only with the scope profile.
func (i *Issuer) MintFor(f Family, scope string, now time.Time) (string, error) {
	claims := token.Claims{
		RegisteredClaims: i.registered(strconv.FormatInt(f.Person.ID, 10), i.audience, now),
		Role:             token.RoleUser, Session: strconv.FormatInt(f.ID, 10), ClientID: f.ClientID, Scope: scope,
	}
	if slices.Contains(strings.Fields(scope), "profile") {
		claims.Username = f.Person.Username
	}
	return i.keys.Sign(token.Type, claims)
}

// clientClaims are those of a token without a person.
type clientClaims struct {
	jwt.RegisteredClaims
	ClientID string `json:"client_id"`
	Scope    string `json:"scope,omitempty"`
}

// MintClient returns an access token by which an OAuth client acts for itself.
// No verifier of people's tokens lets it pass: aud is the issuer, sub is the
// client, which is no number, and there is no role.
func (i *Issuer) MintClient(clientID, scope string, now time.Time) (string, error) {
	return i.keys.Sign(token.Type, clientClaims{i.registered(clientID, i.URL, now), clientID, scope})
}

// IDClaims are those of an ID token (OpenID Connect Core 1.0 section 2).
type IDClaims struct {
	jwt.RegisteredClaims
	AuthTime *jwt.NumericDate `json:"auth_time,omitempty"`
	Nonce    string           `json:"nonce,omitempty"`
	AtHash   string           `json:"at_hash,omitempty"`
	Username string           `json:"preferred_username,omitempty"`
	Email    string           `json:"email,omitempty"`
}

// IDToken returns an ID token for the client of the code, about the person, that
// goes with that access token. Its typ is JWT, so that it is no access token.
func (i *Issuer) IDToken(c Code, p account.Person, access string, now time.Time) (string, error) {
	claims := IDClaims{
		RegisteredClaims: i.registered(strconv.FormatInt(p.ID, 10), c.ClientID, now),
		AuthTime:         jwt.NewNumericDate(c.AuthTime), Nonce: c.Nonce, AtHash: atHash(access),
	}
	claims.ID = "" // nobody looks for it
	if scopes := strings.Fields(c.Scope); slices.Contains(scopes, "profile") {
		claims.Username = p.Username
	}
	if scopes := strings.Fields(c.Scope); slices.Contains(scopes, "email") {
		claims.Email = p.Email
	}
	return i.keys.Sign("JWT", claims)
}

// atHash is OpenID Connect Core 1.0 section 3.1.3.6.
func atHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
