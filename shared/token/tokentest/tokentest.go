// Package tokentest is an issuer of tokens for the tests of services that
// verify them: good ones, and any kind of bad one.
package tokentest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"craftista/shared/token"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// Audience is who the issuer's tokens are for.
const Audience = "craftista"

// The keys are shared by all issuers of the process: making one under the race detector takes longer than a verifier
// waits for an issuer, if every test does so.
var (
	issuerKey   = sync.OnceValues(newKey)
	strangerKey = sync.OnceValues(newKey)
)

func newKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// Issuer signs with one key and publishes it over HTTP.
type Issuer struct {
	URL     string // the issuer; its JWK Set is at JWKSURL
	Key     *rsa.PrivateKey
	Kid     string
	Fetches atomic.Int64 // how often the JWK Set was asked for
	Down    atomic.Bool  // answers 503 while true
	Revoked atomic.Value // the sign-ins that are revoked, a []string
	tb      testing.TB
}

// New starts an issuer that ends with the test.
func New(tb testing.TB) *Issuer {
	tb.Helper()
	key, err := issuerKey()
	if err != nil {
		tb.Fatal(err)
	}
	i := &Issuer{Key: key, Kid: "test-key", tb: tb}
	i.Revoked.Store([]string{"1"})
	server := httptest.NewServer(i)
	tb.Cleanup(server.Close)
	i.URL = server.URL
	return i
}

// JWKSURL is where the issuer publishes its keys.
func (i *Issuer) JWKSURL() string { return i.URL + "/.well-known/jwks.json" }

// Verifier checks this issuer's tokens, fetching keys over HTTP.
func (i *Issuer) Verifier() *token.Verifier {
	return token.NewVerifier(token.NewRemoteKeys(i.JWKSURL(), http.DefaultClient), i.URL, Audience)
}

// Mint signs a good token for the person, good for an hour: a busy machine may take minutes for a test.
func (i *Issuer) Mint(id int64, role string) string { return i.MintWith(id, role, nil) }

// MintWith is Mint with a token that change has changed; change may be nil.
func (i *Issuer) MintWith(id int64, role string, change func(*jwt.Token, *token.Claims)) string {
	i.tb.Helper()
	now := time.Now()
	claims := &token.Claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: i.URL, Subject: strconv.FormatInt(id, 10), Audience: jwt.ClaimStrings{Audience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour)), ID: rand.Text(),
		},
		Username: "person-" + strconv.FormatInt(id, 10), Role: role,
	}
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	t.Header["typ"], t.Header["kid"] = token.Type, i.Kid
	if change != nil {
		change(t, claims)
	}
	signed, err := t.SignedString(i.signingKey(t))
	if err != nil {
		i.tb.Fatal(err)
	}
	return signed
}

// Bad is one token that every verifier must refuse.
type Bad struct{ Name, Token string }

// Bads are the classic attacks and accidents, each one change away from a good token.
func (i *Issuer) Bads() []Bad {
	good := i.Mint(1, token.RoleUser)
	stranger, err := strangerKey()
	if err != nil {
		i.tb.Fatal(err)
	}
	claim := func(change func(*token.Claims)) string {
		return i.MintWith(1, token.RoleUser, func(_ *jwt.Token, c *token.Claims) { change(c) })
	}
	signedBy := func(method jwt.SigningMethod) string {
		return i.MintWith(1, token.RoleAdmin, func(t *jwt.Token, _ *token.Claims) {
			t.Method, t.Header["alg"] = method, method.Alg()
		})
	}
	header := func(name, value string) string {
		return i.MintWith(1, token.RoleUser, func(t *jwt.Token, _ *token.Claims) { t.Header[name] = value })
	}
	at := func(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(time.Now().Add(d)) }
	return []Bad{
		{"no token", "x"},
		{"tampered payload", tamper(good)},
		{"cut signature", good[:len(good)-8]},
		{"expired", claim(func(c *token.Claims) { c.ExpiresAt = at(-time.Minute) })},
		{"without expiry", claim(func(c *token.Claims) { c.ExpiresAt = nil })},
		{"issued in the future", claim(func(c *token.Claims) { c.IssuedAt = at(time.Hour) })},
		{"wrong audience", claim(func(c *token.Claims) { c.Audience = jwt.ClaimStrings{"elsewhere"} })},
		{"wrong issuer", claim(func(c *token.Claims) { c.Issuer = "https://issuer.example" })},
		{"alg none", signedBy(jwt.SigningMethodNone)},
		{"HS256 with the public key", signedBy(jwt.SigningMethodHS256)},
		{"a stranger's key", (&Issuer{URL: i.URL, Key: stranger, Kid: i.Kid, tb: i.tb}).Mint(1, token.RoleUser)},
		{"unknown kid", header("kid", "nobody")},
		{"without kid", i.MintWith(1, token.RoleUser, func(t *jwt.Token, _ *token.Claims) { delete(t.Header, "kid") })},
		{"a revoked sign-in", claim(func(c *token.Claims) { c.Session = "1" })},
		{"an ID token", header("typ", "JWT")},
		{"subject that is no person", claim(func(c *token.Claims) { c.Subject = "-1" })},
		{"unknown role", i.Mint(1, "emperor")},
		{"too long", good + string(make([]byte, 9000))},
	}
}

// ServeHTTP serves what is published.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case i.Down.Load():
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	case r.URL.Path == "/.well-known/revoked-sessions.json":
		_ = json.NewEncoder(w).Encode(map[string]any{"sessions": i.Revoked.Load()})
		return
	}
	i.Fetches.Add(1)
	jwk, err := jwkset.NewJWKFromKey(i.Key.Public(), jwkset.JWKOptions{
		Metadata: jwkset.JWKMetadataOptions{ALG: jwkset.AlgRS256, KID: i.Kid, USE: jwkset.UseSig},
	})
	if err != nil {
		panic(err)
	}
	_ = json.NewEncoder(w).Encode(jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{jwk.Marshal()}})
}

// signingKey is what the token's method signs with; for HS256 the published
// key's own PEM, the classic confusion of algorithms.
func (i *Issuer) signingKey(t *jwt.Token) any {
	switch t.Method {
	case jwt.SigningMethodNone:
		return jwt.UnsafeAllowNoneSignatureType
	case jwt.SigningMethodHS256:
		der, err := x509.MarshalPKIXPublicKey(i.Key.Public())
		if err != nil {
			i.tb.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	default:
		return i.Key
	}
}

// tamper makes an admin of the token's user and keeps the signature.
func tamper(good string) string {
	parts := strings.Split(good, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		panic(err)
	}
	payload = bytes.Replace(payload, []byte(`"role":"user"`), []byte(`"role":"admin"`), 1)
	parts[1] = base64.RawURLEncoding.EncodeToString(payload)
	return strings.Join(parts, ".")
}
