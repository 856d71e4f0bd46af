// Package keys is the RSA keys that sign tokens: PEM files in a directory, the
// newest of which signs and all of which are published.
package keys

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// Set is the keys of one directory as they were when it was opened. The private
// halves never leave it. It is safe for concurrent use.
type Set struct {
	newest    *rsa.PrivateKey
	kid       string // of newest
	published json.RawMessage
	verify    keyfunc.Keyfunc
}

// Open reads the keys in dir, and makes dir and the first key if they are not
// there; see load and create for what it checks.
func Open(dir string) (*Set, error) {
	private, err := load(dir)
	if err == nil && len(private) == 0 {
		if err = create(dir); err == nil {
			private, err = load(dir) // another replica's key may have come first
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open signing keys: %w", err)
	}
	return newSet(private)
}

// newSet takes the keys, newest first. Only their public halves go further.
func newSet(private []*rsa.PrivateKey) (*Set, error) {
	ctx := context.Background() // the storage is memory
	storage := jwkset.NewMemoryStorage()
	for _, key := range private {
		jwk, err := jwkset.NewJWKFromKey(&key.PublicKey, jwkset.JWKOptions{
			Metadata: jwkset.JWKMetadataOptions{ALG: jwkset.AlgRS256, KID: thumbprint(&key.PublicKey), USE: jwkset.UseSig},
		})
		if err != nil {
			return nil, fmt.Errorf("publish signing key: %w", err)
		}
		if err := storage.KeyWrite(ctx, jwk); err != nil {
			return nil, fmt.Errorf("publish signing key: %w", err)
		}
	}
	published, err := storage.JSONPublic(ctx)
	if err != nil {
		return nil, fmt.Errorf("publish signing keys: %w", err)
	}
	verify, err := keyfunc.New(keyfunc.Options{Storage: storage, UseWhitelist: []jwkset.USE{jwkset.UseSig}})
	if err != nil {
		return nil, fmt.Errorf("publish signing keys: %w", err)
	}
	return &Set{newest: private[0], kid: thumbprint(&private[0].PublicKey), published: published, verify: verify}, nil
}

// Sign returns the claims as a JWT of that type, signed with the newest key:
// RS256 (RFC 7518 section 3.3), typ and kid in the header.
func (s *Set) Sign(typ string, claims jwt.Claims) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	t.Header["typ"], t.Header["kid"] = typ, s.kid
	signed, err := t.SignedString(s.newest)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return signed, nil
}

// JWKS is the public halves as a JWK Set (RFC 7517 section 5), newest first. The
// caller does not change it.
func (s *Set) JWKS() json.RawMessage { return s.published }

// KeyfuncCtx implements shared/token's Keys, without a call to ourselves.
func (s *Set) KeyfuncCtx(ctx context.Context) jwt.Keyfunc { return s.verify.KeyfuncCtx(ctx) }

// thumbprint is the key's SHA-256 thumbprint (RFC 7638 section 3), so that a key
// has the same kid on every replica and after every restart.
func thumbprint(key *rsa.PublicKey) string {
	encode := base64.RawURLEncoding.EncodeToString
	required := fmt.Sprintf(`{"e":"%s","kty":"RSA","n":"%s"}`, encode(big.NewInt(int64(key.E)).Bytes()), encode(key.N.Bytes()))
	sum := sha256.Sum256([]byte(required))
	return encode(sum[:])
}
