package core

import (
	"context"
	"errors"
	"fmt"
	"time"

	"craftista/shared/fault"
)

// Store keeps the truth. A piece that is not there is a NotFound fault.
type Store interface {
	Product(ctx context.Context, id int64) (Product, error)
	Products(ctx context.Context, p Page) ([]Product, error)
	// Vote makes all of people, who may be named twice, have voted for the piece;
	// Unvote, none of them. Both return its count once the change, if it was one,
	// is durable; if they return an error nothing has changed, unless it is
	// ErrUncertain.
	Vote(ctx context.Context, id int64, people []int64) (votes int64, err error)
	Unvote(ctx context.Context, id int64, people []int64) (votes int64, err error)
	// VotedFor returns those of ids that the person voted for, ascending.
	VotedFor(ctx context.Context, person int64, ids []int64) ([]int64, error)
	// Add, Edit and Remove are durable when they return. Of a person's additions with
	// one key, unless that is "", only the first adds, and all return its piece, deleted
	// or not; one whose draft differs is ErrOtherDraft. Edit and Remove act on one of
	// the versions, nil being any, and are PreconditionFailed if the piece has another.
	Add(ctx context.Context, person int64, key string, d Draft) (Product, error)
	Edit(ctx context.Context, id int64, versions []int64, d Draft) (Product, error)
	Remove(ctx context.Context, id int64, versions []int64) error
	// AddImage changes nothing if the image is there. Image is NotFound if it is not.
	AddImage(ctx context.Context, image Image) error
	Image(ctx context.Context, name string) (Image, error)
	HasImage(ctx context.Context, name string) (bool, error)
	// VotesOf returns up to limit of the person's votes after a position in their
	// order, newest first.
	VotesOf(ctx context.Context, person int64, after Position, limit int) ([]Vote, error)
}

// Source says where a piece was read.
type Source string

// The sources.
const (
	Hit    Source = "hit"    // from the cache
	Miss   Source = "miss"   // from the store, for want of it in the cache
	Bypass Source = "bypass" // from the store, the cache being out of reach
)

// Encoded is a piece in the form in which the cache keeps it and readers get it.
// Nobody may change the body: many share it.
type Encoded struct {
	ETag string // strong, with its quotes, without a line end
	Body []byte
}

// Encode gives a piece that form.
type Encode func(Product) (Encoded, error)

// Cache keeps encoded pieces in front of a Store. It may lose them at any time
// and be out of reach, which never fails a reader.
type Cache interface {
	// Fetch returns the piece as it is kept or as load gives it. It never returns
	// what was loaded before the last Forget of the id that ended, without error,
	// before Fetch began, in whatever replica. Errors are load's.
	Fetch(ctx context.Context, id int64, load func(context.Context) (Encoded, error)) (Encoded, Source, error)
	// Forget drops the pieces, and keeps loads that are under way from being kept.
	// An error means that this cannot be promised: the change behind it must not
	// be acknowledged.
	Forget(ctx context.Context, ids ...int64) error
}

// Catalogue is the gallery's pieces and votes. It is safe for concurrent use.
type Catalogue struct {
	store   Store
	cache   Cache
	encode  Encode
	ballots ballots
	changed func()
}

// NewCatalogue returns the catalogue kept in store, behind cache. Who waits for
// a vote's commit is seen by tracer. It calls changed, which must not wait,
// after each change of votes.
func NewCatalogue(store Store, cache Cache, encode Encode, tracer Tracer, changed func()) *Catalogue {
	c := &Catalogue{store: store, cache: cache, encode: encode, changed: changed}
	c.ballots = ballots{commit: c.commit, tracer: tracer, waiting: map[int64][]*ballot{}}
	return c
}

// Encoded returns one piece, encoded; NotFound if there is none.
func (c *Catalogue) Encoded(ctx context.Context, id int64) (Encoded, Source, error) {
	return c.cache.Fetch(ctx, id, func(ctx context.Context) (Encoded, error) {
		p, err := c.store.Product(ctx, id)
		if err != nil {
			return Encoded{}, err
		}
		return c.encode(p)
	})
}

// List returns a page of pieces and whether others follow. The page is read
// from the store, so its counts are never old.
func (c *Catalogue) List(ctx context.Context, p Page) (products []Product, more bool, err error) {
	limit := p.Limit
	p.Limit++ // one more than asked for tells whether others follow
	products, err = c.store.Products(ctx, p)
	if err != nil || len(products) <= limit {
		return products, false, err
	}
	return products[:limit], true, nil
}

// Votes returns how many people voted for a piece, from the store; NotFound if
// there is no such piece.
func (c *Catalogue) Votes(ctx context.Context, id int64) (int64, error) {
	p, err := c.store.Product(ctx, id)
	return p.Votes, err
}

// Vote notes that a person loves a piece and returns the piece's count. Voting
// again changes nothing. When Vote returns, the vote is durable and no read
// shows an older count. NotFound if there is no such piece; Unavailable if too
// many vote for it at once, or because of ErrUncertain; ctx's error if ctx ended
// before the commit began, and then nothing has changed.
func (c *Catalogue) Vote(ctx context.Context, person, id int64) (votes int64, err error) {
	return c.ballots.cast(ctx, id, person, true)
}

// Unvote takes a vote back; everything else is as with Vote.
func (c *Catalogue) Unvote(ctx context.Context, person, id int64) (votes int64, err error) {
	return c.ballots.cast(ctx, id, person, false)
}

// commitTime bounds one commit, which others wait for. It is less than the time
// after which a connection to a silent database is given up, so that a database
// that only waits for a lock is asked to stop waiting.
const commitTime = 4 * time.Second

// commit makes one change of a piece's votes for many people, even when the
// caller among them who leads it hangs up. The cached piece is forgotten after
// the commit, so that no load from before it can be kept, and before the answers.
// That is so even if nothing changed: an earlier try may have committed and died
// before it came to this line; and even if the outcome is uncertain.
func (c *Catalogue) commit(ctx context.Context, id int64, loved bool, people []int64) (votes int64, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	change := c.store.Unvote
	if loved {
		change = c.store.Vote
	}
	votes, err = change(ctx, id, people)
	if err != nil && ctx.Err() != nil { // what the store then says may be anything
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	if err != nil && !errors.Is(err, ErrUncertain) {
		return 0, err
	}
	forgot := c.cache.Forget(ctx, id)
	c.changed()
	switch {
	case err != nil:
		uncertain := &fault.Error{
			Kind: fault.Unavailable, RetryAfter: 2 * time.Second,
			Message: "the database went away just now: this was done or not, and doing it again is safe",
		}
		return 0, uncertain.Because(err)
	case forgot != nil:
		return 0, unseen(forgot)
	}
	return votes, nil
}

// unseen is for a change that was made, and that a cached piece may hide. It is
// not acknowledged; making it again does no harm.
func unseen(cause error) error {
	f := fault.Error{Kind: fault.Unavailable, Message: "this may not be seen by everybody yet, try again shortly", RetryAfter: time.Second}
	return f.Because(cause)
}

// VotedFor returns those of ids that the person voted for, ascending.
func (c *Catalogue) VotedFor(ctx context.Context, person int64, ids []int64) ([]int64, error) {
	return c.store.VotedFor(ctx, person, ids)
}

// VotesOf returns up to limit of a person's votes after a position, newest
// first, and whether others follow.
func (c *Catalogue) VotesOf(ctx context.Context, person int64, after Position, limit int) (votes []Vote, more bool, err error) {
	votes, err = c.store.VotesOf(ctx, person, after, limit+1) // as with List
	if err != nil || len(votes) <= limit {
		return votes, false, err
	}
	return votes[:limit], true, nil
}

// ErrUncertain is what a Store returns, wrapped, for a change that was made or
// not: the database went away at the commit.
var ErrUncertain = errors.New("the outcome is uncertain")

// NoCache is the Cache of a service that runs without one.
type NoCache struct{}

// Fetch loads.
func (NoCache) Fetch(ctx context.Context, _ int64, load func(context.Context) (Encoded, error)) (Encoded, Source, error) {
	piece, err := load(ctx)
	return piece, Bypass, err
}

// Forget has nothing to do.
func (NoCache) Forget(context.Context, ...int64) error { return nil }
