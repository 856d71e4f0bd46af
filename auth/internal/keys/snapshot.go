package keys

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"craftista/shared/token"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
)

// snapshot is what the store had at one time. It does not change.
type snapshot struct {
	keys      []Key // newest first, and so the next two
	private   []*rsa.PrivateKey
	kids      []string
	published json.RawMessage // the public halves only
	verify    keyfunc.Keyfunc
}

// load opens the keys.
func (s *Set) load(all []Key) (*snapshot, error) {
	loaded := &snapshot{keys: all}
	var set jwkset.JWKSMarshal
	for _, k := range all {
		key, err := s.open(Sealed{From: k.From, Bytes: []byte(k.sealed)})
		if err != nil {
			return nil, fmt.Errorf("the key of %s %w", k.From.Format(time.RFC3339), err)
		}
		public, err := publicJWK(key)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, public)
		loaded.private, loaded.kids = append(loaded.private, key), append(loaded.kids, public.KID)
	}
	var err error
	if loaded.published, err = json.Marshal(set); err != nil {
		return nil, fmt.Errorf("publish signing keys: %w", err)
	}
	if loaded.verify, err = keyfunc.NewJWKSetJSON(loaded.published); err != nil {
		return nil, fmt.Errorf("publish signing keys: %w", err)
	}
	return loaded, nil
}

// publicJWK is the public half of the key. Its kid is the key's SHA-256 thumbprint
// (RFC 7638 section 3), so that a key has the same kid on every replica and after
// every restart.
func publicJWK(key *rsa.PrivateKey) (jwkset.JWKMarshal, error) {
	jwk, err := jwkset.NewJWKFromKey(&key.PublicKey, jwkset.JWKOptions{})
	if err != nil {
		return jwkset.JWKMarshal{}, fmt.Errorf("publish signing key: %w", err)
	}
	public := jwk.Marshal()
	sum := sha256.Sum256(fmt.Appendf(nil, `{"e":"%s","kty":"RSA","n":"%s"}`, public.E, public.N))
	public.KID = base64.RawURLEncoding.EncodeToString(sum[:])
	public.ALG, public.USE = token.Algorithm, jwkset.UseSig
	return public, nil
}
