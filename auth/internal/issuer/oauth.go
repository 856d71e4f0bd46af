package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/session"
	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
)

// MintClientCredentials returns an access token by which an OAuth client acts for
// itself. No verifier of people's tokens accepts it: aud is the issuer, sub is the
// client, which is no number, and there is no role.
func (i *Issuer) MintClientCredentials(clientID, scope string, now time.Time) (string, error) {
	return i.Sign(token.Type, token.Claims{
		RegisteredClaims: i.registered(clientID, i.URL, now), ClientID: clientID, Scope: scope,
	})
}

// IDClaims are those of an ID token (OpenID Connect Core 1.0 section 2).
type IDClaims struct {
	jwt.RegisteredClaims
	AuthTime *jwt.NumericDate `json:"auth_time,omitempty"`
	Nonce    string           `json:"nonce,omitempty"`
	AtHash   string           `json:"at_hash,omitempty"`
	Username string           `json:"preferred_username,omitempty"`
	Email    string           `json:"email,omitempty"`
	Verified *bool            `json:"email_verified,omitempty"` // nil without Email
}

// MintIDToken returns an ID token for the client of the code, about the person,
// that belongs to that access token. Its typ is JWT, so that it is no access token.
func (i *Issuer) MintIDToken(c session.Code, p account.Person, access string, now time.Time) (string, error) {
	sum := sha256.Sum256([]byte(access)) // at_hash is the left half: section 3.1.3.6
	claims := IDClaims{
		RegisteredClaims: i.registered(strconv.FormatInt(p.ID, 10), c.ClientID, now),
		AuthTime:         jwt.NewNumericDate(c.AuthTime), Nonce: c.Nonce,
		AtHash: base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]),
	}
	claims.ID = "" // ID tokens need no jti
	scopes := strings.Fields(c.Scope)
	if slices.Contains(scopes, "profile") {
		claims.Username = p.Username
	}
	if slices.Contains(scopes, "email") {
		claims.Email, claims.Verified = p.Email, &p.Verified
	}
	return i.Sign("JWT", claims)
}

// ParseAccessToken reads an access token of an OAuth client, with a person or
// without. It checks what shared/token's Verify does, but for the audience, the
// person and the role.
func (i *Issuer) ParseAccessToken(ctx context.Context, raw string) (token.Claims, error) {
	var c token.Claims
	err := token.Parser{Keys: i, Type: token.Type, Options: token.Options(i.URL)}.Parse(ctx, raw, &c)
	if err == nil && c.ClientID == "" {
		err = errors.New("the token is no client's")
	}
	return c, err
}

// ParseIDToken reads an ID token that may have expired. It checks what shared/token's
// Parse does, and the issuer.
func (i *Issuer) ParseIDToken(ctx context.Context, raw string) (IDClaims, error) {
	var c IDClaims
	p := token.Parser{Keys: i, Type: "JWT", Options: []jwt.ParserOption{jwt.WithoutClaimsValidation()}}
	err := p.Parse(ctx, raw, &c)
	if err == nil && c.Issuer != i.URL {
		err = errors.New("the token is by another issuer")
	}
	return c, err
}
