package core

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"craftista/shared/fault"

	"go.opentelemetry.io/otel/trace"
)

// The limits of batching votes for one product.
const (
	maxBatch   = 512  // committed together: a few milliseconds of work for the store
	maxPending = 4096 // more are refused
)

// batcher collects the votes for a product while a commit for it is under way,
// and commits them together in the next one. A commit takes as long as the disk,
// and all votes for one product wait for the same row of the database, so that
// one by one the last of sixty would wait for sixty disk writes. Without others a
// vote is committed at once.
//
// singleflight does not serve here: it gives callers the result of one call that
// does the same for all, and each vote has to be written.
//
// The first vote starts a goroutine, which ends when no vote of the product waits.
// Products do not wait for each other. Nobody waits for more than the commits of
// those who came before, and for one of votes of the other kind.
//
// If the caller's context is cancelled while the vote waits, the vote is withdrawn.
// Once its commit has begun, the vote may be recorded.
type batcher struct {
	commit func(ctx context.Context, productID int64, voted bool, userIDs []int64) (votes int64, err error)
	tracer trace.Tracer

	mu sync.Mutex // guards pending
	// A product is a key while its goroutine runs; its votes are in the order they
	// came.
	pending map[int64][]*pendingVote
}

// pendingVote is one request that waits.
type pendingVote struct {
	userID int64
	voted  bool // false takes the vote back
	span   trace.Span
	done   chan struct{} // closed once the outcome is known

	votes int64 // the outcome
	err   error
}

// submit returns the count of the product once the vote is committed.
func (b *batcher) submit(ctx context.Context, productID, userID int64, voted bool) (votes int64, err error) {
	ctx, span := b.tracer.Start(ctx, "commit vote")
	defer span.End()
	own := &pendingVote{userID: userID, voted: voted, span: span, done: make(chan struct{})}
	if err := b.enqueue(productID, own); err != nil {
		return 0, err
	}
	select {
	case <-own.done:
	case <-ctx.Done():
		if b.withdraw(productID, own) {
			return 0, ctx.Err()
		}
		<-own.done // too late, it is being committed; a commit has a deadline
	}
	return own.votes, own.err
}

// enqueue puts the vote last in the queue, which begins to be flushed if it is
// not.
func (b *batcher) enqueue(productID int64, own *pendingVote) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue, busy := b.pending[productID]
	if len(queue) == maxPending {
		return &fault.Error{
			Kind: fault.Unavailable, RetryAfter: time.Second,
			Message: "too many people are voting for this piece, try again shortly",
		}
	}
	b.pending[productID] = append(queue, own)
	if !busy {
		go b.flush(productID)
	}
	return nil
}

// withdraw takes the vote out of the queue, unless it is being committed.
func (b *batcher) withdraw(productID int64, own *pendingVote) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.pending[productID], own)
	if i < 0 {
		return false
	}
	b.pending[productID] = slices.Delete(b.pending[productID], i, i+1)
	return true
}

// flush commits batch after batch until no vote waits, each in the trace of its
// first vote.
func (b *batcher) flush(productID int64) {
	for batch := b.nextBatch(productID); batch != nil; batch = b.nextBatch(productID) {
		userIDs := make([]int64, len(batch))
		for i, each := range batch {
			userIDs[i] = each.userID
			if i > 0 {
				linkSpans(each.span, batch[0].span)
			}
		}
		ctx := trace.ContextWithSpan(context.Background(), batch[0].span)
		votes, err := b.commitSafely(ctx, productID, batch[0].voted, userIDs)
		for _, each := range batch {
			each.votes, each.err = votes, err
			close(each.done)
		}
	}
}

// commitSafely is commit, of which a panic is an error: it would end the process.
func (b *batcher) commitSafely(
	ctx context.Context, productID int64, voted bool, userIDs []int64,
) (votes int64, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			err = fmt.Errorf("commit votes: panic: %v\n%s", bug, debug.Stack())
		}
	}()
	return b.commit(ctx, productID, voted, userIDs)
}

// linkSpans links two spans of different traces in both directions. OpenTelemetry
// keeps 128 links of a span.
func linkSpans(a, b trace.Span) {
	a.AddLink(trace.Link{SpanContext: b.SpanContext()})
	b.AddLink(trace.Link{SpanContext: a.SpanContext()})
}

// nextBatch removes from the queue its first vote and up to maxBatch of the same
// kind; nil if none waits. A user's vote that must wait has all later ones of
// that user wait, so that they are committed in the order they came.
func (b *batcher) nextBatch(productID int64) (batch []*pendingVote) {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue := b.pending[productID]
	if len(queue) == 0 {
		delete(b.pending, productID)
		return nil
	}
	var rest []*pendingVote
	waits := map[int64]bool{} // users with a vote in rest
	for _, each := range queue {
		if each.voted == queue[0].voted && !waits[each.userID] && len(batch) < maxBatch {
			batch = append(batch, each)
		} else {
			rest, waits[each.userID] = append(rest, each), true
		}
	}
	b.pending[productID] = rest
	return batch
}
