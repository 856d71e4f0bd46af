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
	maxBehind = 16   // messages that wait for a listener before it is dropped
	chunkSize = 1000 // products in one query

	readEvery   = time.Second
	readGap     = 200 * time.Millisecond // between two reads at least, so that a thousand votes cost one
	readTimeout = 5 * time.Second
)

// Count is how many votes a product has.
type Count struct {
	ID    int64
	Votes int64
}

// Counts is the store that Live reads.
type Counts interface {
	// Counts returns the counts of those of ids that exist, in any order.
	Counts(ctx context.Context, ids []int64) ([]Count, error)
	// IDs returns the ids of all products, the lowest ones if there are more than
	// limit, ascending.
	IDs(ctx context.Context, limit int) ([]int64, error)
}

// Live sends each listener the counts of the products it watches: first all of
// them, then those that changed, wherever they were changed. It is safe for
// concurrent use.
//
// One goroutine, Run, reads the counts of everything that is watched once a
// second, and at once after Wake. It alone sends, in the order of its reads, so
// a listener's counts never go back to older ones. Each message has whole counts,
// so nothing has to be found out about what a listener missed.
type Live struct {
	store   Counts
	log     *slog.Logger
	woken   chan struct{}
	last    map[int64]int64 // votes by id, as last read; used by Run alone
	failing bool            // the last read failed; used by Run alone

	mu        sync.Mutex // guards the rest
	listeners map[*listener]struct{}
	watched   map[int64]int // by id, how many listeners watch it
}

type listener struct {
	counts chan []Count
	ids    []int64
	isNew  bool // nothing was sent yet
}

// NewLive returns what sends the counts in store, once it runs.
func NewLive(store Counts, log *slog.Logger) *Live {
	return &Live{
		store: store, log: log, woken: make(chan struct{}, 1),
		listeners: map[*listener]struct{}{}, watched: map[int64]int{},
	}
}

// Wake makes Run read soon, because a count may have changed. Call it once the
// change is visible. It does not wait. Other replicas are woken by Redis, see
// infrastructure/redis.
func (l *Live) Wake() {
	select {
	case l.woken <- struct{}{}:
	default: // a read after this call is due already
	}
}

// All returns the ids of all products. It is Invalid if there are more than
// chunkSize.
func (l *Live) All(ctx context.Context) ([]int64, error) {
	ids, err := l.store.IDs(ctx, chunkSize+1)
	if err != nil {
		return nil, err
	}
	var broken fault.Checks
	broken.Require(len(ids) <= chunkSize, "ids", fmt.Sprintf("is required: there are more than %d products", chunkSize))
	return ids, broken.Err()
}

// Listen returns a channel with the counts of ids, each once: all that exist as
// soon as the store gives them, then those that change. The channel is closed if
// the listener is too slow. Call leave in the end.
func (l *Live) Listen(ids []int64) (counts <-chan []Count, leave func()) {
	x := &listener{counts: make(chan []Count, maxBehind), ids: ids, isNew: true}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listeners[x] = struct{}{}
	for _, id := range ids {
		l.watched[id]++
	}
	l.Wake()
	return x.counts, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.remove(x)
	}
}

// remove does nothing if the listener was removed before.
func (l *Live) remove(x *listener) {
	if _, ok := l.listeners[x]; !ok {
		return
	}
	delete(l.listeners, x)
	for _, id := range x.ids {
		if l.watched[id]--; l.watched[id] == 0 {
			delete(l.watched, id)
		}
	}
}

// Run reads and sends until ctx is done. While nobody listens it reads nothing.
func (l *Live) Run(ctx context.Context) {
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-l.woken:
		}
		l.update(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(readGap):
		}
	}
}

// update reads once, for those who listen when it begins.
func (l *Live) update(ctx context.Context) {
	l.mu.Lock()
	listeners, ids := slices.Collect(maps.Keys(l.listeners)), slices.Sorted(maps.Keys(l.watched))
	l.mu.Unlock()
	if len(listeners) == 0 {
		return
	}
	votes, err := l.read(ctx, ids)
	if err != nil && !l.failing && ctx.Err() == nil {
		l.log.WarnContext(ctx, "live counts cannot be read, listeners wait", "error", err)
	}
	if l.failing = err != nil; l.failing {
		return
	}
	changed := maps.Clone(votes)
	maps.DeleteFunc(changed, func(id, votes int64) bool {
		last, ok := l.last[id]
		return ok && votes == last
	})
	l.last = votes
	l.send(listeners, votes, changed)
}

// read returns the votes by id.
func (l *Live) read(ctx context.Context, ids []int64) (map[int64]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	votes := make(map[int64]int64, len(ids))
	for chunk := range slices.Chunk(ids, chunkSize) {
		counts, err := l.store.Counts(ctx, chunk)
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
func (l *Live) send(listeners []*listener, votes, changed map[int64]int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range listeners {
		updates := changed
		if x.isNew {
			updates = votes
		}
		counts := x.choose(updates)
		if _, ok := l.listeners[x]; !ok || len(counts) == 0 {
			continue
		}
		select {
		case x.counts <- counts:
			x.isNew = false
		default:
			close(x.counts)
			l.remove(x)
		}
	}
}

// choose returns the counts of the listener's products.
func (x *listener) choose(votes map[int64]int64) []Count {
	var counts []Count
	if len(votes) == 0 {
		return nil
	}
	for _, id := range x.ids {
		if n, ok := votes[id]; ok {
			counts = append(counts, Count{ID: id, Votes: n})
		}
	}
	return counts
}
