package core

import (
	"context"
	"errors"
)

// Add puts a new product into the gallery and returns it. A draft that breaks
// rules is Invalid, with each. If the user added that draft with that key before, Add
// adds nothing and returns the product of then, as it is now: after a lost response
// a retry is safe. If it was another draft, Add returns ErrIdempotencyKeyReused. The
// key "" is none.
func (c *Catalogue) Add(ctx context.Context, userID int64, key string, d Draft) (Product, error) {
	if err := c.accept(ctx, d); err != nil {
		return Product{}, err
	}
	return c.store.Add(ctx, userID, key, d)
}

// ErrIdempotencyKeyReused says that the user sent the key before, with another draft.
var ErrIdempotencyKeyReused = errors.New("the key was used for another draft")

// Edit replaces all that curators say about a product and returns it as it is
// now. It does so only if the product has one of the versions, nil being any; else
// it is PreconditionFailed: of two who edit the same version, one is told to read
// it again. When it returns, no read shows what was before. NotFound if there is no
// such product, Invalid if the draft breaks rules.
func (c *Catalogue) Edit(ctx context.Context, id int64, versions []int64, d Draft) (Product, error) {
	if err := c.accept(ctx, d); err != nil {
		return Product{}, err
	}
	p, err := c.store.Edit(ctx, id, versions, d)
	return p, c.invalidate(ctx, err, id)
}

// Remove takes a product out of the gallery for good: to every reader and voter it
// is NotFound. Its votes stay on record. Versions are as with Edit.
func (c *Catalogue) Remove(ctx context.Context, id int64, versions []int64) error {
	return c.invalidate(ctx, c.store.Remove(ctx, id, versions), id)
}

// accept is nil for a draft that keeps every rule and shows an image there is.
// Images are never deleted, so what is there now is there when the draft is kept.
func (c *Catalogue) accept(ctx context.Context, d Draft) error {
	broken := d.check()
	if name := d.upload(); name != "" {
		known, err := c.store.HasImage(ctx, name)
		if err != nil {
			return err
		}
		broken.Require(known, "image_url", "names an image that was not uploaded")
	}
	return broken.Err()
}
