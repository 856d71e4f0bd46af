package session

import (
	"context"
	"crypto/sha256"
	"maps"
	"sync"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/shared/fault"
)

const (
	// memory is how long a renewal serves requests that a browser sent with the
	// old cookie; with other replicas auth's own grace does.
	memory = 10 * time.Second
	// maxRemembered bounds the renewals that are remembered. One more is not, and
	// requests that come late for it cost auth a call.
	maxRemembered = 1024
)

// renewals renews each refresh token once, however many requests bring it. It is
// safe for concurrent use and starts no goroutine.
type renewals struct {
	refresh func(ctx context.Context, refreshToken string) (backend.Grant, error)
	now     func() time.Time

	mu      sync.Mutex                     // guards byToken
	byToken map[[sha256.Size]byte]*renewal // by hash of the old token
}

// renewal is under way or done.
type renewal struct {
	done  chan struct{} // closed once the rest is set
	grant backend.Grant
	err   error
	until time.Time // when to forget it; zero while under way
}

func newRenewals(refresh func(context.Context, string) (backend.Grant, error), now func() time.Time) *renewals {
	return &renewals{refresh: refresh, now: now, byToken: map[[sha256.Size]byte]*renewal{}}
}

// renew exchanges the refresh token. The first request makes the call and the
// others wait for it; one that hangs up spoils it for nobody.
func (n *renewals) renew(ctx context.Context, refreshToken string) (backend.Grant, error) {
	if err := ctx.Err(); err != nil { // nobody would get the new cookies
		return backend.Grant{}, hungUp(err)
	}
	key := sha256.Sum256([]byte(refreshToken))
	e, first := n.join(key)
	if first {
		n.make(context.WithoutCancel(ctx), key, e, refreshToken)
		return e.grant, e.err
	}
	select {
	case <-e.done:
		return e.grant, e.err
	case <-ctx.Done():
		return backend.Grant{}, hungUp(ctx.Err())
	}
}

// join gives the token's renewal, and whether the caller is to make it.
func (n *renewals) join(key [sha256.Size]byte) (*renewal, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	maps.DeleteFunc(n.byToken, func(_ [sha256.Size]byte, e *renewal) bool { return !e.until.IsZero() && !now.Before(e.until) })
	if e, ok := n.byToken[key]; ok {
		return e, false
	}
	e := &renewal{done: make(chan struct{})}
	n.byToken[key] = e
	return e, true
}

// make calls auth and remembers what it granted, for no longer than the access
// token lives; a refusal has no life and is forgotten at once.
func (n *renewals) make(ctx context.Context, key [sha256.Size]byte, e *renewal, refreshToken string) {
	err := error(fault.New(fault.Unavailable, "the renewal broke off")) // unless refresh returns
	var grant backend.Grant
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		e.grant, e.err, e.until = grant, err, n.now().Add(min(memory, grant.Life))
		if len(n.byToken) > maxRemembered && n.byToken[key] == e {
			delete(n.byToken, key)
		}
		close(e.done)
	}()
	grant, err = n.refresh(ctx, refreshToken)
}

// forget drops the renewals that took or gave the refresh token.
func (n *renewals) forget(refreshToken string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.byToken, sha256.Sum256([]byte(refreshToken)))
	maps.DeleteFunc(n.byToken, func(_ [sha256.Size]byte, e *renewal) bool { return e.grant.RefreshToken == refreshToken })
}

func hungUp(err error) error {
	return fault.New(fault.Unavailable, "the request ended before it was known who asks").Because(err)
}
