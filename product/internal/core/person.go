package core

import (
	"context"
	"time"
)

// PersonStore stores what belongs to one user.
type PersonStore interface {
	// Forget removes all votes of the user, those for deleted products too, and returns the products that had one. It is
	// durable when it returns; errors are as for Unvote.
	Forget(ctx context.Context, userID int64) (productIDs []int64, err error)
	// PersonData is what is stored about the user, deleted products included.
	PersonData(ctx context.Context, userID int64) (PersonData, error)
}

// PersonData is what the catalogue stores about a user: the products they voted for, and those that they added with an
// idempotency key, the latest first.
type PersonData struct{ Votes, Added []Act }

// Act is what a user did about a product.
type Act struct {
	ProductID int64
	Name      string    // of the product
	At        time.Time // UTC
}

// PersonData is what is stored about a user.
func (c *Catalogue) PersonData(ctx context.Context, userID int64) (PersonData, error) {
	return c.store.PersonData(ctx, userID)
}

// Forget takes all of a user's votes back. When it returns nil, that is durable and no read shows an older count. After
// an error it may be called again; where the votes were removed and the cache could not be reached, nothing is left to
// invalidate then, and a count may be older until its entry expires. A vote that is made meanwhile stays.
func (c *Catalogue) Forget(ctx context.Context, userID int64) error {
	ids, err := c.store.Forget(ctx, userID)
	if err == nil && len(ids) == 0 {
		return nil
	}
	return c.invalidate(ctx, err, ids...)
}
