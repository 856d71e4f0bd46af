package keys

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// bits is the length of a new key. 2048 are as strong as 112-bit symmetric keys,
// enough through 2030 (NIST SP 800-57 part 1, table 4) for tokens that live for
// minutes; 3072 would sign three times slower and make every request longer.
const bits = 2048

// Store holds the keys, which it cannot read.
type Store interface {
	SigningKeys(ctx context.Context) ([]Sealed, error) // the newest first
	// AddSigningKey reports whether it was added: there is one key for a time.
	AddSigningKey(ctx context.Context, key Sealed) (added bool, err error)
	RemoveSigningKey(ctx context.Context, from time.Time) error
}

// Sealed is a key as PKCS#8 (RFC 5958), encrypted by AES-256-GCM with the time from
// which it signs, a whole second: a copy under another time does not open.
type Sealed struct {
	From  time.Time
	Bytes []byte
}

// aead is derived from the secret, which is random (RFC 5869 section 3.1), for this use alone.
func aead(secret string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "craftista signing keys 1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// context is what a key was sealed with besides the secret.
func (k Sealed) context() []byte { return []byte(k.From.UTC().Format(time.RFC3339)) }

// create adds a new key that signs from then on, and reports whether there was none of that time.
func (s *Set) create(ctx context.Context, from time.Time) (added bool, err error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return false, fmt.Errorf("make key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return false, fmt.Errorf("encode key: %w", err)
	}
	sealed := Sealed{From: from}
	sealed.Bytes = s.aead.Seal(nil, nil, der, sealed.context()) //nolint:gosec // it makes a nonce for each
	return s.store.AddSigningKey(ctx, sealed)
}

// open returns the key. It checks:
//   - that it was sealed with this secret for this time, since who can put another
//     there signs as anybody
//   - that it is a PKCS#8 RSA key whose numbers fit each other
//   - that the key has 2048 bits or more (RFC 7518 section 3.3)
func (s *Set) open(sealed Sealed) (*rsa.PrivateKey, error) {
	der, err := s.aead.Open(nil, nil, sealed.Bytes, sealed.context())
	if err != nil {
		return nil, errors.New("was sealed with another KEYS_SECRET, or changed since")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("is not a PKCS#8 private key: %w", err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok || key.N.BitLen() < 2048 {
		return nil, errors.New("is not an RSA key of 2048 bits or more")
	}
	return key, nil
}
