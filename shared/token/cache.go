package token

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxVerified is how many tokens a Verifier remembers, of some 300 bytes each. Only good ones are, so strangers cannot
// fill it.
const maxVerified = 4096

// verified are the good tokens that a Verifier has seen, by SHA-256: browsers send the same one with each request,
// and its signature and claims do not change. It is safe for concurrent use. The zero value is empty.
type verified struct {
	mu     sync.Mutex
	tokens map[[sha256.Size]byte]signed
}

// signed is what a good token says, and by which key.
type signed struct {
	user User
	kid  string
	key  *rsa.PublicKey
}

func (v *verified) get(hash [sha256.Size]byte) (signed, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.tokens[hash]
	return s, ok
}

// put forgets all when it is full: to verify each once more costs less than to keep an order.
func (v *verified) put(hash [sha256.Size]byte, s signed) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tokens == nil || len(v.tokens) >= maxVerified {
		v.tokens = map[[sha256.Size]byte]signed{}
	}
	v.tokens[hash] = s
}

// read is the person that a token speaks for, whether or not the sign-in is revoked. A token that was good before still
// is while it has not expired and its key is published.
func (v *Verifier) read(ctx context.Context, raw string) (User, error) {
	hash := sha256.Sum256([]byte(raw))
	if s, ok := v.verified.get(hash); ok && time.Now().Before(s.user.Expires.Add(leeway)) && v.publishes(ctx, s) {
		return s.user, nil
	}
	keys := recorder{Keys: v.source}
	parser := v.parser
	parser.Keys = &keys
	var claims Claims
	if err := parser.Parse(ctx, raw, &claims); err != nil {
		return User{}, err
	}
	user, err := claims.user()
	if key, ok := keys.key.(*rsa.PublicKey); ok && err == nil {
		v.verified.put(hash, signed{user, keys.kid, key})
	}
	return user, err
}

// publishes reports whether the source still has the key under its id.
func (v *Verifier) publishes(ctx context.Context, s signed) bool {
	header := map[string]any{"alg": Algorithm, "kid": s.kid}
	key, err := v.source.KeyfuncCtx(ctx)(&jwt.Token{Method: jwt.SigningMethodRS256, Header: header})
	return err == nil && s.key.Equal(key)
}

// recorder notes the key that it finds.
type recorder struct {
	Keys
	kid string
	key any
}

// KeyfuncCtx implements Keys.
func (r *recorder) KeyfuncCtx(ctx context.Context) jwt.Keyfunc {
	find := r.Keys.KeyfuncCtx(ctx)
	return func(t *jwt.Token) (_ any, err error) {
		r.kid, _ = t.Header["kid"].(string)
		r.key, err = find(t)
		return r.key, err
	}
}
