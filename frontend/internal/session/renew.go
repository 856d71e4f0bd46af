package session

import (
	"context"

	"craftista/frontend/internal/backend"
	"craftista/shared/fault"
)

// renew exchanges the refresh token. All requests that bring it at the same time
// wait for one call, which takes half the time of a page at most and goes on if any of them
// hangs up. Who brings it a little later, or to another replica, has auth's own
// grace period.
func (k *Manager) renew(ctx context.Context, refreshToken string) (backend.Grant, error) {
	if err := ctx.Err(); err != nil { // nobody would get the new cookies
		return backend.Grant{}, hungUp(err)
	}
	result := k.renewals.DoChan(refreshToken, func() (any, error) {
		return k.auth.Refresh(context.WithoutCancel(ctx), refreshToken)
	})
	select {
	case r := <-result:
		return r.Val.(backend.Grant), r.Err
	case <-ctx.Done():
		return backend.Grant{}, hungUp(ctx.Err())
	}
}

func hungUp(err error) error {
	return fault.New(fault.Unavailable, "the request ended before it was known who asks").Because(err)
}
