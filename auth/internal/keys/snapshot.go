package keys

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
)

// snapshot is what a directory held at one time. It does not change.
type snapshot struct {
	entries   []entry // newest first
	private   []*rsa.PrivateKey
	kids      []string
	published json.RawMessage
	verify    keyfunc.Keyfunc
}

// newSnapshot takes the keys, newest first. Only their public halves go further.
func newSnapshot(entries []entry, private []*rsa.PrivateKey) (*snapshot, error) {
	ctx := context.Background() // the storage is memory
	storage := jwkset.NewMemoryStorage()
	s := &snapshot{entries: entries, private: private}
	for _, key := range private {
		kid := thumbprint(&key.PublicKey)
		jwk, err := jwkset.NewJWKFromKey(&key.PublicKey, jwkset.JWKOptions{
			Metadata: jwkset.JWKMetadataOptions{ALG: jwkset.AlgRS256, KID: kid, USE: jwkset.UseSig},
		})
		if err != nil {
			return nil, fmt.Errorf("publish signing key: %w", err)
		}
		if err := storage.KeyWrite(ctx, jwk); err != nil {
			return nil, fmt.Errorf("publish signing key: %w", err)
		}
		s.kids = append(s.kids, kid)
	}
	var err error
	if s.published, err = storage.JSONPublic(ctx); err != nil {
		return nil, fmt.Errorf("publish signing keys: %w", err)
	}
	if s.verify, err = keyfunc.New(keyfunc.Options{Storage: storage, UseWhitelist: []jwkset.USE{jwkset.UseSig}}); err != nil {
		return nil, fmt.Errorf("publish signing keys: %w", err)
	}
	return s, nil
}

// signer is the newest key whose time has come, or the first to come.
func (s *snapshot) signer(now time.Time) (key *rsa.PrivateKey, kid string) {
	i := 0
	for i < len(s.entries)-1 && s.entries[i].from.After(now) {
		i++
	}
	return s.private[i], s.kids[i]
}

func (s *snapshot) names() []string {
	var all []string
	for _, e := range s.entries {
		all = append(all, e.name)
	}
	return all
}

// thumbprint is the key's SHA-256 thumbprint (RFC 7638 section 3), so that a key
// has the same kid on every replica and after every restart.
func thumbprint(key *rsa.PublicKey) string {
	encode := base64.RawURLEncoding.EncodeToString
	required := fmt.Sprintf(`{"e":"%s","kty":"RSA","n":"%s"}`, encode(big.NewInt(int64(key.E)).Bytes()), encode(key.N.Bytes()))
	sum := sha256.Sum256([]byte(required))
	return encode(sum[:])
}
