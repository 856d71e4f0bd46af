// Package keys is the RSA keys that sign tokens: PEM files in a directory. A new
// key is published at once and signs later, when every verifier has it; an old one
// stays published until the last token by it has expired.
package keys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
)

// Set is the keys of one directory. The private halves never leave it. It is
// safe for concurrent use.
type Set struct {
	dir       string
	retention time.Duration
	current   atomic.Pointer[snapshot]
}

// Open reads the keys in dir, and makes dir and the first key if they are not
// there; see list and read for what it checks. A key stays published for retention
// after the next one began to sign: the longest life of a token, and some more
// for clocks that differ.
func Open(dir string, retention time.Duration) (*Set, error) {
	s := &Set{dir: dir, retention: retention}
	all, err := list(dir, retention)
	if err == nil && len(all) == 0 {
		if err = create(dir, firstName); errors.Is(err, fs.ErrExist) {
			err = nil // another replica was faster
		}
	}
	if err == nil {
		_, err = s.refresh()
	}
	if err != nil {
		return nil, fmt.Errorf("open signing keys: %w", err)
	}
	return s, nil
}

// Watch reads the directory at every interval until ctx is done: it loads new keys
// and drops old ones. An error is logged, and the keys in memory stay in use.
func (s *Set) Watch(ctx context.Context, interval time.Duration, log *slog.Logger) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var logged string // the last error, so that each is logged once
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		changed, err := s.refresh()
		switch {
		case err == nil && changed:
			log.InfoContext(ctx, "signing keys changed", "keys", s.current.Load().kids)
			logged = ""
		case err == nil:
			logged = ""
		case err.Error() != logged:
			log.ErrorContext(ctx, "signing keys cannot be read, the ones in memory stay", "error", err)
			logged = err.Error()
		}
	}
}

// refresh loads what the directory contains now, and reports whether that has
// changed. The names are enough to tell, because a key never changes under its
// name; the directory's modification time would miss two changes within its
// resolution.
func (s *Set) refresh() (changed bool, err error) {
	all, err := list(s.dir, s.retention)
	if err != nil {
		return false, err
	}
	now := time.Now()
	all = slices.DeleteFunc(all, func(k Key) bool { return !k.published(now) })
	old := s.current.Load()
	if old != nil && slices.Equal(all, old.files) {
		return false, nil
	}
	if len(all) == 0 {
		return false, fmt.Errorf("no key is left in %s", s.dir)
	}
	fresh, err := load(s.dir, all)
	if err != nil {
		return false, err
	}
	s.current.Store(fresh)
	return true, nil
}

// Sign returns the claims as a JWT of that type, signed with the newest key that
// has started to sign: token.Algorithm, typ and kid in the header.
func (s *Set) Sign(typ string, claims jwt.Claims) (string, error) {
	current := s.current.Load()
	i := signer(current.files, time.Now())
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
func (s *Set) JWKS() json.RawMessage { return s.current.Load().published }

// KeyfuncCtx implements shared/token's Keys, without a request over the network.
func (s *Set) KeyfuncCtx(ctx context.Context) jwt.Keyfunc {
	return s.current.Load().verify.KeyfuncCtx(ctx)
}
