package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"craftista/shared/fault"

	"go.opentelemetry.io/otel/trace"
)

// Store stores the products and votes. Of a product that does not exist it returns
// a NotFound fault.
type Store interface {
	PersonStore
	Product(ctx context.Context, id int64) (Product, error)
	Products(ctx context.Context, p Page) ([]Product, error)
	// Vote records a vote of each user and Unvote removes it. An id may come twice; a
	// vote that is recorded already, or not there to remove, is no error. Both return
	// the product's count once the change is durable. If they return an error, nothing
	// has changed, except with ErrUncertain.
	Vote(ctx context.Context, productID int64, userIDs []int64) (votes int64, err error)
	Unvote(ctx context.Context, productID int64, userIDs []int64) (votes int64, err error)
	// VotedFor returns the counts of those of the products that exist, by ascending
	// id, and which the user voted for.
	VotedFor(ctx context.Context, userID int64, productIDs []int64) ([]UserCount, error)
	// Add, Edit and Remove are durable when they return. Add with a key that the user
	// has used before adds nothing: it returns the product that was added then, deleted
	// or not, or ErrIdempotencyKeyReused if the draft differs. The key "" is none. Edit and Remove act on
	// one of the versions, nil being any, and are PreconditionFailed if the product has
	// another.
	Add(ctx context.Context, userID int64, key string, d Draft) (Product, error)
	Edit(ctx context.Context, id int64, versions []int64, d Draft) (Product, error)
	Remove(ctx context.Context, id int64, versions []int64) error
	// AddImages leaves those alone that are there. Image is NotFound if it is not.
	AddImages(ctx context.Context, images []Image) error
	Image(ctx context.Context, name string) (Image, error)
	HasImage(ctx context.Context, name string) (bool, error)
	// VotesOf returns up to limit of the user's votes after a position in their order,
	// newest first.
	VotesOf(ctx context.Context, userID int64, after Position, limit int) ([]Vote, error)
}

// Source says where a product was read.
type Source string

// The sources.
const (
	Hit    Source = "hit"    // from the cache
	Miss   Source = "miss"   // from the store, for it was not cached
	Bypass Source = "bypass" // from the store, for the cache is not used at present
)

// Encoded is a product in the form in which it is cached and sent. Nobody may
// change the body: many share it.
type Encoded struct {
	ETag string // strong, with its quotes, without a line end
	Body []byte
}

// Encode gives a product that form.
type Encode func(Product) (Encoded, error)

// Load reads a product from the store.
type Load func(context.Context) (Encoded, error)

// Cache keeps encoded products in front of a Store. It may lose them at any time
// and be unreachable, which never fails a reader.
type Cache interface {
	// Fetch returns the product as it is cached or as load gives it. It never returns
	// what was loaded before the last Invalidate of the id that ended, without error,
	// before Fetch began, in whatever replica. Errors are load's.
	Fetch(ctx context.Context, id int64, load Load) (Encoded, Source, error)
	// Invalidate removes the products, and keeps loads that are under way from being
	// stored. An error means that this cannot be promised: the change behind it must
	// not be acknowledged.
	Invalidate(ctx context.Context, ids ...int64) error
}

// Catalogue is the gallery's products and votes. It is safe for concurrent use.
type Catalogue struct {
	store    Store
	cache    Cache
	encode   Encode
	votes    batcher
	onChange func()
}

// NewCatalogue returns the catalogue of store, behind cache. The wait for a
// vote's commit is a span of tracer. It calls onChange, which must not wait,
// after each vote, edit or deletion.
func NewCatalogue(store Store, cache Cache, encode Encode, tracer trace.Tracer, onChange func()) *Catalogue {
	c := &Catalogue{store: store, cache: cache, encode: encode, onChange: onChange}
	c.votes = batcher{commit: c.commit, tracer: tracer, pending: map[int64][]*pendingVote{}}
	return c
}

// Encoded returns one product, encoded; NotFound if there is none.
func (c *Catalogue) Encoded(ctx context.Context, id int64) (Encoded, Source, error) {
	return c.cache.Fetch(ctx, id, func(ctx context.Context) (Encoded, error) {
		p, err := c.store.Product(ctx, id)
		if err != nil {
			return Encoded{}, err
		}
		return c.encode(p)
	})
}

// List returns a page of products and whether others follow. The page is read
// from the store, so its counts are never old.
func (c *Catalogue) List(ctx context.Context, p Page) (products []Product, more bool, err error) {
	limit := p.Limit
	p.Limit++ // one more than asked for tells whether others follow
	products, err = c.store.Products(ctx, p)
	products, more = firstOf(products, limit)
	return products, more, err
}

// firstOf returns up to limit of all, and whether there are others.
func firstOf[T any](all []T, limit int) (first []T, more bool) {
	return all[:min(limit, len(all))], len(all) > limit
}

// Vote records a user's vote for a product and returns the product's count.
// Voting again changes nothing. When Vote returns, the vote is durable and no read
// shows an older count. NotFound if there is no such product; Unavailable if too
// many vote for it at once, or because of ErrUncertain; ctx's error if ctx ended
// before the commit began, and then nothing has changed.
func (c *Catalogue) Vote(ctx context.Context, productID, userID int64) (votes int64, err error) {
	return c.votes.submit(ctx, productID, userID, true)
}

// Unvote takes a vote back; everything else is as with Vote.
func (c *Catalogue) Unvote(ctx context.Context, productID, userID int64) (votes int64, err error) {
	return c.votes.submit(ctx, productID, userID, false)
}

// commitTimeout bounds one commit, which others wait for. It is less than the
// time after which a connection to an unresponsive database is closed, so that a
// database that only waits for a lock is asked to stop waiting.
const commitTimeout = 4 * time.Second

// commit adds or removes the votes of many users for one product.
func (c *Catalogue) commit(
	ctx context.Context, productID int64, voted bool, userIDs []int64,
) (votes int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	change := c.store.Unvote
	if voted {
		change = c.store.Vote
	}
	votes, err = change(ctx, productID, userIDs)
	if err != nil && ctx.Err() != nil { // the driver's error need not wrap it
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return votes, c.invalidate(ctx, err, productID)
}

// invalidate removes the cached products after a commit [5] that ended with err and
// before the change is acknowledged. It must run even if the commit changed nothing or
// its outcome is unknown, because an earlier attempt may have committed without
// invalidating. If it fails, readers may still get the old product: then the caller
// gets an error and may safely retry.
func (c *Catalogue) invalidate(ctx context.Context, err error, ids ...int64) error {
	if err != nil && !errors.Is(err, ErrUncertain) {
		return err
	}
	invalidateErr := c.cache.Invalidate(ctx, ids...)
	c.onChange()
	f := &fault.Error{Kind: fault.Unavailable, RetryAfter: 2 * time.Second}
	switch {
	case err != nil:
		f.Message = "the database connection was lost: this was done or not, and doing it again is safe"
	case invalidateErr != nil:
		f.Message = "this may not be seen by everybody yet, try again shortly"
	default:
		return nil // [8]
	}
	return f.Because(cmp.Or(err, invalidateErr))
}

// VotedFor is Store.VotedFor.
func (c *Catalogue) VotedFor(ctx context.Context, userID int64, productIDs []int64) ([]UserCount, error) {
	return c.store.VotedFor(ctx, userID, productIDs)
}

// VotesOf returns up to limit of a user's votes after a position, newest
// first, and whether others follow.
func (c *Catalogue) VotesOf(
	ctx context.Context, userID int64, after Position, limit int,
) (votes []Vote, more bool, err error) {
	votes, err = c.store.VotesOf(ctx, userID, after, limit+1) // as with List
	votes, more = firstOf(votes, limit)
	return votes, more, err
}

// ErrUncertain is what a Store returns, wrapped, for a change that was made or
// not: the database became unreachable at the commit.
var ErrUncertain = errors.New("the outcome is uncertain")

// NoCache is the Cache of a service that runs without one.
type NoCache struct{}

// Fetch loads.
func (NoCache) Fetch(ctx context.Context, _ int64, load Load) (Encoded, Source, error) {
	product, err := load(ctx)
	return product, Bypass, err
}

// Invalidate has nothing to do.
func (NoCache) Invalidate(context.Context, ...int64) error { return nil }
