package core

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"craftista/shared/fault"
)

const (
	listenerBuffer = 16   // messages; a listener with more to receive is dropped
	chunkSize      = 1000 // products in one query

	minReadInterval = 200 * time.Millisecond // so that a thousand votes at once cost one read
	readTimeout     = 5 * time.Second
)

// Count is how many votes a product has.
type Count struct {
	ID    int64
	Votes int64
}

// CountReader is the store that a CountBroadcaster reads.
type CountReader interface {
	// Counts returns the counts of those of ids that exist, in any order.
	Counts(ctx context.Context, ids []int64) ([]Count, error)
	// IDs returns the ids of all products, the lowest ones if there are more than
	// limit, ascending.
	IDs(ctx context.Context, limit int) ([]int64, error)
}

// CountBroadcaster sends each listener the counts of the products it watches: first
// all of them, then those that changed, through whatever replica. It is safe for
// concurrent use.
//
// One goroutine, Run, reads the counts of all watched products once a ReadInterval, and
// soon after Notify. Only Run sends, in the order of its reads, so that a listener
// never gets an older count after a newer one. A message has whole counts, not
// differences, so that a listener that missed some needs only the next one.
type CountBroadcaster struct {
	// ReadInterval is 1 s, and may be set before Run.
	ReadInterval time.Duration

	store    CountReader
	log      *slog.Logger
	notified chan struct{}
	last     map[int64]int64 // votes by id, as last read; used by Run alone
	failing  bool            // the last read failed; used by Run alone

	mu        sync.Mutex // guards the rest
	listeners map[*listener]struct{}
	watched   map[int64]int // by id, how many listeners watch it
}

type listener struct {
	counts chan []Count
	ids    []int64
	isNew  bool // nothing was sent yet
}

// NewCountBroadcaster returns a broadcaster of the counts in store. It sends while Run
// runs.
func NewCountBroadcaster(store CountReader, log *slog.Logger) *CountBroadcaster {
	return &CountBroadcaster{
		ReadInterval: time.Second, store: store, log: log, notified: make(chan struct{}, 1),
		listeners: map[*listener]struct{}{}, watched: map[int64]int{},
	}
}

// Notify makes Run read soon, because a count may have changed. Call it once the
// change is committed. It does not wait. The package pubsub notifies the other
// replicas.
func (b *CountBroadcaster) Notify() {
	select {
	case b.notified <- struct{}{}:
	default: // a read will follow this call anyway
	}
}

// All returns the ids of all products. It is Invalid if there are more than
// chunkSize.
func (b *CountBroadcaster) All(ctx context.Context) ([]int64, error) {
	ids, err := b.store.IDs(ctx, chunkSize+1)
	if err != nil {
		return nil, err
	}
	var broken fault.Checks
	broken.Require(len(ids) <= chunkSize, "ids", fmt.Sprintf("is required: there are more than %d products", chunkSize))
	return ids, broken.Err()
}

// Subscribe returns a channel of the counts of ids, of which none may come twice:
// first of all that exist, then of those that change. The channel is closed if the
// listener receives too slowly. Call unsubscribe in the end.
func (b *CountBroadcaster) Subscribe(ids []int64) (counts <-chan []Count, unsubscribe func()) {
	l := &listener{counts: make(chan []Count, listenerBuffer), ids: ids, isNew: true}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listeners[l] = struct{}{}
	for _, id := range ids {
		b.watched[id]++
	}
	b.Notify()
	return l.counts, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.remove(l)
	}
}

// remove does nothing if the listener was removed before.
func (b *CountBroadcaster) remove(l *listener) {
	if _, ok := b.listeners[l]; !ok {
		return
	}
	delete(b.listeners, l)
	for _, id := range l.ids {
		if b.watched[id]--; b.watched[id] == 0 {
			delete(b.watched, id)
		}
	}
}

// Run reads and sends until ctx is done. While nobody listens it reads nothing.
func (b *CountBroadcaster) Run(ctx context.Context) {
	tick := time.NewTicker(b.ReadInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-b.notified:
		}
		b.update(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(minReadInterval):
		}
	}
}

// update reads once, and sends to those that listened before it read.
func (b *CountBroadcaster) update(ctx context.Context) {
	b.mu.Lock()
	listeners, ids := slices.Collect(maps.Keys(b.listeners)), slices.Sorted(maps.Keys(b.watched))
	b.mu.Unlock()
	if len(listeners) == 0 {
		return
	}
	votes, err := b.read(ctx, ids)
	if err != nil && !b.failing && ctx.Err() == nil {
		b.log.WarnContext(ctx, "live counts cannot be read, listeners wait", "error", err)
	}
	if b.failing = err != nil; b.failing {
		return
	}
	changed := maps.Clone(votes)
	maps.DeleteFunc(changed, func(id, votes int64) bool {
		last, ok := b.last[id]
		return ok && votes == last
	})
	b.last = votes
	b.send(listeners, votes, changed)
}

// read returns the votes by id.
func (b *CountBroadcaster) read(ctx context.Context, ids []int64) (map[int64]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	votes := make(map[int64]int64, len(ids))
	for chunk := range slices.Chunk(ids, chunkSize) {
		counts, err := b.store.Counts(ctx, chunk)
		if err != nil {
			return nil, err
		}
		for _, c := range counts {
			votes[c.ID] = c.Votes
		}
	}
	return votes, nil
}

// send gives new listeners all their votes and the others those that changed.
// It does not wait: a listener that has no room for more is dropped.
func (b *CountBroadcaster) send(listeners []*listener, votes, changed map[int64]int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range listeners {
		updates := changed
		if l.isNew {
			updates = votes
		}
		counts := l.filter(updates)
		if _, ok := b.listeners[l]; !ok || len(counts) == 0 {
			continue
		}
		select {
		case l.counts <- counts:
			l.isNew = false
		default:
			close(l.counts)
			b.remove(l)
		}
	}
}

// filter returns the counts of the listener's products.
func (l *listener) filter(votes map[int64]int64) []Count {
	var counts []Count
	if len(votes) == 0 {
		return nil
	}
	for _, id := range l.ids {
		if n, ok := votes[id]; ok {
			counts = append(counts, Count{ID: id, Votes: n})
		}
	}
	return counts
}
