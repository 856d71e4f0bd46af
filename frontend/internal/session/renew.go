package session

import (
	"context"
	"maps"
	"sync"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/shared/fault"

	"golang.org/x/sync/singleflight"
)

const (
	// rememberFor is how long a renewal serves requests that a browser sent with the
	// old cookie; through other replicas auth's own grace period does.
	rememberFor = 10 * time.Second
	// maxRemembered bounds the renewals that are remembered. One more is not, and
	// requests that come late for it cost auth a call.
	maxRemembered = 1024
)

// renewals renews each refresh token once, however many requests bring it. It is
// safe for concurrent use.
type renewals struct {
	refresh func(ctx context.Context, refreshToken string) (backend.Grant, error)
	now     func() time.Time
	calls   singleflight.Group // by the old token

	mu     sync.Mutex         // guards recent
	recent map[string]renewal // by the old token
}

type renewal struct {
	grant   backend.Grant
	expires time.Time
}

func newRenewals(refresh func(context.Context, string) (backend.Grant, error), now func() time.Time) *renewals {
	return &renewals{refresh: refresh, now: now, recent: map[string]renewal{}}
}

// renew exchanges the refresh token. All requests that bring it wait for one call,
// which takes SessionTimeout at most and goes on if any of them hangs up.
func (n *renewals) renew(ctx context.Context, refreshToken string) (backend.Grant, error) {
	if err := ctx.Err(); err != nil { // nobody would get the new cookies
		return backend.Grant{}, hungUp(err)
	}
	result := n.calls.DoChan(refreshToken, func() (any, error) {
		if grant, ok := n.remembered(refreshToken); ok {
			return grant, nil
		}
		grant, err := n.refresh(context.WithoutCancel(ctx), refreshToken)
		if err == nil {
			n.remember(refreshToken, grant)
		}
		return grant, err
	})
	select {
	case r := <-result:
		return r.Val.(backend.Grant), r.Err
	case <-ctx.Done():
		return backend.Grant{}, hungUp(ctx.Err())
	}
}

func (n *renewals) remembered(refreshToken string) (backend.Grant, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	recent, ok := n.recent[refreshToken]
	return recent.grant, ok && n.now().Before(recent.expires)
}

// remember keeps what auth granted, for no longer than the access token lives.
func (n *renewals) remember(refreshToken string, grant backend.Grant) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	maps.DeleteFunc(n.recent, func(_ string, r renewal) bool { return !now.Before(r.expires) })
	if len(n.recent) < maxRemembered {
		n.recent[refreshToken] = renewal{grant, now.Add(min(rememberFor, grant.Life))}
	}
}

// forget drops the renewals that took or gave the refresh token.
func (n *renewals) forget(refreshToken string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	maps.DeleteFunc(n.recent, func(old string, r renewal) bool {
		return old == refreshToken || r.grant.RefreshToken == refreshToken
	})
}

func hungUp(err error) error {
	return fault.New(fault.Unavailable, "the request ended before it was known who asks").Because(err)
}
