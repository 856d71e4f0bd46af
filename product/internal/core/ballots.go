package core

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"craftista/shared/fault"
)

// The limits of gathering votes for one piece.
const (
	maxBatch   = 512  // committed together: a few milliseconds of work for the store
	maxWaiting = 4096 // more are turned away
)

// Tracer makes spans.
type Tracer interface {
	// Start starts a span below the one that ctx is in.
	Start(ctx context.Context, name string) (context.Context, Span)
}

// Span is one step of a request. It is safe for concurrent use.
type Span interface {
	Link(other Span) // points at a step of another request
	End()
}

// ballots gathers what people wish for a piece while a commit for that piece is
// under way, and commits it together in the next one. A commit is as long as the
// disk is slow, and all of one piece wait for the same row of the database, so
// that one by one the last of sixty would wait for sixty disk writes. Without
// others a vote is committed at once.
//
// There is no goroutine to start or to stop: the voter who waited longest leads
// the next commit, in its own request and trace, for all who wish the same as
// it. Pieces do not wait for each other. Nobody waits for more than the commits
// of those who came before, and for one by others who wish the contrary.
//
// A voter who hangs up while waiting has not voted. One who does so when the
// commit has begun may have voted.
type ballots struct {
	commit func(ctx context.Context, piece int64, loved bool, people []int64) (votes int64, err error)
	tracer Tracer

	mu      sync.Mutex // guards waiting and each ballot's leads
	waiting map[int64][]*ballot
	// A piece is a key of waiting while somebody leads for it; the ballots are in
	// the order they came.
}

// ballot is what one person wishes for a piece.
type ballot struct {
	person int64
	loved  bool // false takes the vote back
	span   Span
	leads  bool          // chosen to lead the next commit
	turn   chan struct{} // has one element once leads, or once the outcome is known

	votes int64 // the outcome; the leader's to write before turn
	err   error
}

// cast returns the count of the piece once the wish is committed.
func (b *ballots) cast(ctx context.Context, piece, person int64, loved bool) (votes int64, err error) {
	ctx, span := b.tracer.Start(ctx, "commit vote")
	defer span.End()
	own := &ballot{person: person, loved: loved, span: span, turn: make(chan struct{}, 1)}
	if err := b.join(piece, own); err != nil {
		return 0, err
	}
	select {
	case <-own.turn:
	case <-ctx.Done():
		if b.leave(piece, own) {
			return 0, ctx.Err()
		}
		<-own.turn // too late, others may count on it; a commit has a deadline
	}
	if own.leads {
		b.lead(ctx, piece)
	}
	return own.votes, own.err
}

// join puts the ballot last in the queue; if there is none it leads at once.
func (b *ballots) join(piece int64, own *ballot) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue, busy := b.waiting[piece]
	if len(queue) == maxWaiting {
		return &fault.Error{Kind: fault.Unavailable, Message: "too many people are voting for this piece, try again shortly", RetryAfter: time.Second}
	}
	b.waiting[piece] = append(queue, own)
	if !busy {
		b.callFirst(piece)
	}
	return nil
}

// callFirst has the first of the queue lead; b.mu is held.
func (b *ballots) callFirst(piece int64) {
	first := b.waiting[piece][0]
	first.leads = true
	first.turn <- struct{}{}
}

// leave takes the ballot out of the queue, unless it leads or is being committed.
func (b *ballots) leave(piece int64, own *ballot) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.waiting[piece], own)
	if i < 0 || own.leads {
		return false
	}
	b.waiting[piece] = slices.Delete(b.waiting[piece], i, i+1)
	return true
}

// errPanicked is told to those whose leader panicked.
var errPanicked = errors.New("the commit of these votes panicked")

// lead commits the first ballot of the queue and all that may go with it, and
// tells everybody. If the commit panics the others hear of it all the same.
func (b *ballots) lead(ctx context.Context, piece int64) {
	batch := b.take(piece)
	people := make([]int64, len(batch))
	for i, each := range batch {
		people[i] = each.person
		if i > 0 {
			each.span.Link(batch[0].span)
			batch[0].span.Link(each.span)
		}
	}
	votes, err := int64(0), errPanicked
	defer func() {
		b.handOver(piece)
		for i, each := range batch {
			each.votes, each.err = votes, err
			if i > 0 {
				each.turn <- struct{}{}
			}
		}
	}()
	votes, err = b.commit(ctx, piece, batch[0].loved, people)
}

// take removes from the queue its first ballot and up to maxBatch that wish the
// same. Whoever has a ballot that must wait has all later ones wait, so that
// each person's wishes are committed in the order they came.
func (b *ballots) take(piece int64) (batch []*ballot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue := b.waiting[piece]
	var rest []*ballot
	held := map[int64]bool{} // people with a ballot in rest
	for _, each := range queue {
		if each.loved == queue[0].loved && !held[each.person] && len(batch) < maxBatch {
			batch = append(batch, each)
		} else {
			rest, held[each.person] = append(rest, each), true
		}
	}
	b.waiting[piece] = rest
	return batch
}

// handOver lets the next one lead, if any waits.
func (b *ballots) handOver(piece int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting[piece]) == 0 {
		delete(b.waiting, piece)
		return
	}
	b.callFirst(piece)
}
