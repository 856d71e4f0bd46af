package backend

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"
)

const (
	maxWatched     = 1000                   // products of one stream, as the catalogue allows
	leastPause     = 250 * time.Millisecond // between subscriptions; doubles while they fail, up to
	mostPause      = 2 * time.Second
	heartbeatEvery = 15 * time.Second
)

// Live streams the counts of products as they change, while Run runs. All listeners
// share one subscription, which begins anew when one joins: the counts were then read
// after its page was, and are no older. It is safe for concurrent use.
type Live struct {
	base        string
	http        *http.Client // without a deadline: a stream has no end
	pageTimeout time.Duration

	mu        sync.Mutex // guards the rest, and the listeners
	listeners map[*listener]struct{}
	newest    trace.SpanContext // of the listener that joined last: its trace shows the subscription
	renew     func()            // ends the current subscription
}

// listener is one browser. What it misses while it is slow, newer counts replace.
type listener struct {
	ids   []int64
	sent  map[int64]int64 // votes by id
	votes map[int64]int64 // as its subscription, which others share, has them; nil before
	wake  chan struct{}   // has one if votes changed
}

// Listen calls send with the counts of the products, at first with all that exist,
// then with those that change. No counts are a heartbeat. While the catalogue is
// unavailable it waits. It returns once ctx is done or send gives an error.
func (l *Live) Listen(ctx context.Context, ids []int64, send func([]Count) error) error {
	own := &listener{ids: ids, sent: make(map[int64]int64, len(ids)), wake: make(chan struct{}, 1)}
	l.join(own, trace.SpanContextFromContext(ctx))
	defer l.leave(own)
	heartbeat := time.NewTicker(heartbeatEvery)
	defer heartbeat.Stop()
	for {
		var counts []Count
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-heartbeat.C:
		case <-own.wake:
			if counts = l.changed(own); counts == nil {
				continue
			}
		}
		if err := send(counts); err != nil {
			return err
		}
	}
}

func (l *Live) join(own *listener, span trace.SpanContext) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listeners[own], l.newest = struct{}{}, span
	l.renew()
}

func (l *Live) leave(own *listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if delete(l.listeners, own); len(l.listeners) == 0 {
		l.renew() // without products
	}
}

// changed returns the counts that the listener was not sent, and notes that it is.
func (l *Live) changed(own *listener) (counts []Count) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range own.ids {
		votes, known := own.votes[id]
		if sent, ok := own.sent[id]; known && (!ok || sent != votes) {
			counts = append(counts, Count{id, votes})
			own.sent[id] = votes
		}
	}
	return counts
}

// Run subscribes for the listeners until ctx is done. Other pages log that the
// catalogue is unavailable.
func (l *Live) Run(ctx context.Context) {
	for pause := leastPause; ctx.Err() == nil; {
		began := time.Now()
		if l.subscribe(ctx) {
			pause = min(2*pause, mostPause)
		} else {
			pause = leastPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause) - time.Since(began)): //nolint:gosec // spreads the retries
		}
	}
}

// subscribe reads for those who listen now, until ctx is done, the subscription is to
// be renewed or a stream fails.
func (l *Live) subscribe(ctx context.Context) (failed bool) {
	l.mu.Lock()
	ctx, cancel := context.WithCancel(trace.ContextWithSpanContext(ctx, l.newest))
	defer cancel()
	l.renew = cancel
	votes := map[int64]int64{}
	var listeners []*listener
	var ids []int64
	for own := range l.listeners {
		own.votes = votes
		listeners, ids = append(listeners, own), append(ids, own.ids...)
	}
	l.mu.Unlock()
	receive := func(counts []Count) {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, c := range counts {
			votes[c.ID] = c.Votes
		}
		for _, own := range listeners {
			select {
			case own.wake <- struct{}{}:
			default: // it will see this too
			}
		}
	}
	slices.Sort(ids)
	streams, reading := errgroup.WithContext(ctx)
	for some := range slices.Chunk(slices.Compact(ids), maxWatched) {
		streams.Go(func() error { return l.read(reading, some, receive) })
	}
	if len(ids) == 0 {
		<-ctx.Done()
	}
	_ = streams.Wait()
	return ctx.Err() == nil
}
