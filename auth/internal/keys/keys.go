// Package keys is the RSA keys that sign tokens: PEM files in a directory. A new
// key is published at once and signs later, when everybody knows it; an old one
// stays published until the last token by it has expired.
package keys

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Set is the keys of one directory. The private halves never leave it. It is
// safe for concurrent use.
type Set struct {
	dir     string
	keep    time.Duration
	current atomic.Pointer[snapshot]
}

// Open reads the keys in dir, and makes dir and the first key if they are not
// there; see list and read for what it checks. A key stays published for keep
// after the next one began to sign: the longest life of a token, and some more
// for clocks that differ.
func Open(dir string, keep time.Duration) (*Set, error) {
	s := &Set{dir: dir, keep: keep}
	all, err := list(dir)
	if err == nil && len(all) == 0 {
		if err = create(dir, firstName); errors.Is(err, fs.ErrExist) {
			err = nil // another replica's came first
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

// Watch looks into the directory at every interval until ctx is done, and takes
// up new keys and drops old ones. What it cannot read it logs, and works on with
// what it has.
func (s *Set) Watch(ctx context.Context, interval time.Duration, log *slog.Logger) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var known string // the last complaint, so that each is logged once
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		changed, err := s.refresh()
		switch {
		case err != nil && err.Error() != known:
			log.ErrorContext(ctx, "signing keys cannot be read, the ones in memory stay", "error", err)
			known = err.Error()
		case err == nil && changed:
			log.InfoContext(ctx, "signing keys changed", "files", s.current.Load().names())
		}
		if err == nil {
			known = ""
		}
	}
}

// refresh takes up what the directory holds now, and reports whether that is
// news. Names are enough to tell, because a key never changes under its name;
// the directory's time of change would miss two changes within its resolution.
func (s *Set) refresh() (changed bool, err error) {
	all, err := list(s.dir)
	if err != nil {
		return false, err
	}
	now := time.Now()
	all = slices.DeleteFunc(all, func(e entry) bool { return !e.live(now, s.keep) })
	old := s.current.Load()
	if old != nil && slices.Equal(all, old.entries) {
		return false, nil
	}
	if len(all) == 0 {
		return false, fmt.Errorf("no key is left in %s", s.dir)
	}
	private := make([]*rsa.PrivateKey, len(all))
	for i, e := range all {
		if private[i], err = read(filepath.Join(s.dir, e.name)); err != nil {
			return false, err
		}
	}
	fresh, err := newSnapshot(all, private)
	if err != nil {
		return false, err
	}
	s.current.Store(fresh)
	return true, nil
}

// Sign returns the claims as a JWT of that type, signed with the newest key whose
// time has come: RS256 (RFC 7518 section 3.3), typ and kid in the header.
func (s *Set) Sign(typ string, claims jwt.Claims) (string, error) {
	key, kid := s.current.Load().signer(time.Now())
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	t.Header["typ"], t.Header["kid"] = typ, kid
	signed, err := t.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return signed, nil
}

// JWKS is the public halves as a JWK Set (RFC 7517 section 5), newest first. The
// caller does not change it.
func (s *Set) JWKS() json.RawMessage { return s.current.Load().published }

// KeyfuncCtx implements shared/token's Keys, without a call to ourselves.
func (s *Set) KeyfuncCtx(ctx context.Context) jwt.Keyfunc {
	return s.current.Load().verify.KeyfuncCtx(ctx)
}
