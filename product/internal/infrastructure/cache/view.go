package cache

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// store is where all replicas keep the generation and the fence.
type store interface {
	// read returns the generation and whether a fence stands. The error is
	// errUnavailable if no replica can reach the store, as far as one can tell from
	// here.
	read(ctx context.Context) (generation int64, fenced bool, err error)
	// fence begins a new generation and a fence that stands for term at least. Every
	// read that begins after it returned without error sees both.
	fence(ctx context.Context, term time.Duration) error
}

// errUnavailable is what a store returns, wrapped, when nobody can reach it.
var errUnavailable = errors.New("the store is unavailable")

const storeTimeout = 10 * time.Second // of one read or fence; a store that does not respond is unavailable before

// view is one replica's cached view of the generation and the fence. Reads use
// it for validFor, so that a hit costs no query; in return a fence takes effect
// only after validFor. It is safe for concurrent use.
type view struct {
	store  store
	term   time.Duration // of a fence
	log    *slog.Logger
	latest atomic.Pointer[reading]
	fenced atomic.Pointer[time.Time] // when the last fence that took effect was asked for
	calls  singleflight.Group        // "refresh" and "fence"
}

// reading is one answer of the store. It is never changed.
type reading struct {
	generation  int64
	usable      bool      // entries of the generation may be used
	unavailable bool      // the store is, so this holds until it answers
	asked       time.Time // from when on it is valid for validFor
}

// validFor is how long after it was asked for a reading may be used.
func (v *view) validFor() time.Duration { return v.term / 6 }

// refreshAfter is the age at which a reading is refreshed in the background.
func (v *view) refreshAfter() time.Duration { return v.term / 30 }

// leeway is for clocks that do not run at quite the same rate.
func (v *view) leeway() time.Duration { return v.term / 30 }

func newView(s store, term time.Duration, log *slog.Logger) *view {
	v := &view{store: s, term: term, log: log}
	v.latest.Store(&reading{})
	v.fenced.Store(&time.Time{})
	return v
}

// wait waits for what runs in the background.
func (v *view) wait() {
	for _, call := range []string{"refresh", "fence"} {
		_, _, _ = v.calls.Do(call, func() (any, error) { return nil, nil })
	}
}

// current returns the generation that entries must be of to be used by a read
// that begins with this call; not ok means that none may be. It waits only if
// nobody asked for a while or the store is slow, for two answers at most. Who
// joins a refresh under way is served right: its age counts from its beginning.
func (v *view) current(ctx context.Context) (generation int64, ok bool) {
	began := time.Now()
	for {
		r := v.latest.Load()
		age := began.Sub(r.asked)
		var refreshed <-chan singleflight.Result
		if age > v.refreshAfter() {
			refreshed = v.calls.DoChan("refresh", v.refresh)
		}
		if r.unavailable || age <= v.validFor() {
			return r.generation, r.usable
		}
		select {
		case <-refreshed:
		case <-ctx.Done():
			return 0, false
		}
	}
}

// refresh replaces the reading. While the store is unavailable nobody changes
// anything, as far as this replica can tell, so the last reading stays.
func (v *view) refresh() (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	last, now := v.latest.Load(), reading{asked: time.Now()}
	generation, fenced, err := v.store.read(ctx)
	switch {
	case err == nil:
		now.generation, now.usable = generation, !fenced
		if last.usable != now.usable {
			v.log.InfoContext(ctx, "the cache's generation was read", "usable", now.usable, "generation", generation)
		}
	case errors.Is(err, errUnavailable):
		now.generation, now.usable, now.unavailable = last.generation, last.usable, true
	case last.usable:
		v.log.WarnContext(ctx, "the cache is not used: its generation cannot be read", "error", err)
	}
	v.latest.Store(&now)
	return nil, nil
}

// fence returns once no reader uses an entry that is cached by now or will be
// loaded from what is committed by now. Many callers share one fence: any that
// stands now serves them, whenever it was set. One that stands costs nothing and
// is renewed in the background for as long as callers come. On an error readers
// may use anything.
func (v *view) fence(ctx context.Context) error {
	for {
		age := time.Since(*v.fenced.Load())
		if age <= v.term/2 {
			return nil
		}
		set := v.calls.DoChan("fence", v.setFence)
		if age < v.term-v.leeway() {
			return nil
		}
		select {
		case r := <-set:
			if r.Err != nil {
				return r.Err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// setFence sets the next fence and waits until every replica's reading is from
// after it.
func (v *view) setFence() (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	asked := time.Now()
	if err := v.store.fence(ctx, v.term); err != nil {
		return nil, err
	}
	<-time.After(v.validFor() + v.leeway())
	v.fenced.Store(&asked)
	return nil, nil
}
