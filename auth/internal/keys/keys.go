// Package keys is the RSA keys that sign tokens, which a store holds encrypted. A
// new key is published at once and signs later, when every verifier has it; an old
// one stays published until the last token by it has expired.
package keys

import (
	"context"
	"crypto/cipher"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"craftista/shared/fault"
	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
)

// Set is the keys of one store. The private halves leave it encrypted only. It is
// safe for concurrent use.
type Set struct {
	store     Store
	aead      cipher.AEAD
	retention time.Duration
	current   atomic.Pointer[snapshot] // nil until the keys were read
}

// New returns the keys that are in the store, encrypted by what follows from the
// secret, a random text. Until they are read everything is Unavailable. A key
// stays published for retention after the next one began to sign: the longest life
// of a token, and some more for clocks that differ.
func New(store Store, secret string, retention time.Duration) (*Set, error) {
	aead, err := aead(secret)
	if err != nil {
		return nil, fmt.Errorf("open signing keys: %w", err)
	}
	return &Set{store: store, aead: aead, retention: retention}, nil
}

// Watch reads the store, and again at every interval until ctx is done: it makes
// the first key, loads new ones and drops old ones. An error is logged, and the keys
// in memory stay in use.
func (s *Set) Watch(ctx context.Context, interval time.Duration, log *slog.Logger) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var logged string // the last error, so that each is logged once
	for {
		changed, err := s.Refresh(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && changed:
			log.InfoContext(ctx, "signing keys changed", "keys", s.current.Load().kids)
			logged = ""
		case err == nil:
			logged = ""
		case err.Error() != logged:
			log.ErrorContext(ctx, "signing keys cannot be read, the ones in memory stay", "error", err)
			logged = err.Error()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Refresh loads what the store has now, a first key if it has none, and reports
// whether that has changed.
func (s *Set) Refresh(ctx context.Context) (changed bool, err error) {
	all, err := s.list(ctx)
	if err == nil && len(all) == 0 {
		if _, err = s.create(ctx, first); err == nil { // or another replica was faster
			all, err = s.list(ctx)
		}
	}
	if err != nil {
		return false, err
	}
	now := time.Now()
	all = slices.DeleteFunc(all, func(k Key) bool { return !k.published(now) })
	old := s.current.Load()
	if old != nil && slices.EqualFunc(all, old.keys, func(a, b Key) bool { return a.sealed == b.sealed }) {
		return false, nil
	}
	fresh, err := s.load(all)
	if err != nil {
		return false, err
	}
	s.current.Store(fresh)
	return true, nil
}

// loaded is what there is in memory.
func (s *Set) loaded() (*snapshot, error) {
	if current := s.current.Load(); current != nil {
		return current, nil
	}
	return nil, fault.New(fault.Unavailable, "the signing keys are not read yet")
}

// Ready is nil once the keys are in memory.
func (s *Set) Ready(context.Context) error { _, err := s.loaded(); return err }

// Sign returns the claims as a JWT of that type, signed with the newest key that
// has started to sign: token.Algorithm, typ and kid in the header.
func (s *Set) Sign(typ string, claims jwt.Claims) (string, error) {
	current, err := s.loaded()
	if err != nil {
		return "", err
	}
	i := signer(current.keys, time.Now())
	t := jwt.NewWithClaims(jwt.GetSigningMethod(token.Algorithm), claims)
	t.Header["typ"], t.Header["kid"] = typ, current.kids[i]
	signed, err := t.SignedString(current.private[i])
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return signed, nil
}

// JWKS is the public halves as a JWK Set (RFC 7517 section 5), newest first. The
// caller does not change it.
func (s *Set) JWKS() (json.RawMessage, error) {
	current, err := s.loaded()
	if err != nil {
		return nil, err
	}
	return current.published, nil
}

// KeyfuncCtx implements shared/token's Keys, without a request over the network.
func (s *Set) KeyfuncCtx(ctx context.Context) jwt.Keyfunc {
	current, err := s.loaded()
	if err != nil {
		return func(*jwt.Token) (any, error) { return nil, err }
	}
	return current.verify.KeyfuncCtx(ctx)
}
