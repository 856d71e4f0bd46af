package keys

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"

	"craftista/shared/token"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
)

// snapshot is what a directory contained at one time. It does not change.
type snapshot struct {
	files     []Key // newest first, and so the next two
	private   []*rsa.PrivateKey
	kids      []string
	published json.RawMessage // the public halves only
	verify    keyfunc.Keyfunc
}

// load reads the keys of those files in dir.
func load(dir string, files []Key) (*snapshot, error) {
	s := &snapshot{files: files}
	var set jwkset.JWKSMarshal
	for _, k := range files {
		key, err := read(filepath.Join(dir, k.File))
		if err != nil {
			return nil, err
		}
		public, err := publicJWK(key)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, public)
		s.private, s.kids = append(s.private, key), append(s.kids, public.KID)
	}
	var err error
	if s.published, err = json.Marshal(set); err != nil {
		return nil, fmt.Errorf("publish signing keys: %w", err)
	}
	if s.verify, err = keyfunc.NewJWKSetJSON(s.published); err != nil {
		return nil, fmt.Errorf("publish signing keys: %w", err)
	}
	return s, nil
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
