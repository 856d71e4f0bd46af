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
	// errUnavailable if the store seems unreachable for all replicas.
	read(ctx context.Context) (generation int64, fenced bool, err error)
	// fence begins a new generation and a fence that stands for duration at least. Every
	// read that begins after it returned without error sees both.
	fence(ctx context.Context, duration time.Duration) error
}

// errUnavailable is what a store returns, wrapped, when it is unreachable.
var errUnavailable = errors.New("the store is unavailable")

const storeTimeout = 10 * time.Second // of one read or fence; longer than a store waits before errUnavailable

// generationCache caches a replica's last snapshot of the generation and the fence.
// Reads use it for validFor, so that a hit costs no query; in return a fence takes
// effect only after validFor. It is safe for concurrent use.
type generationCache struct {
	store         store
	fenceDuration time.Duration
	log           *slog.Logger
	latest        atomic.Pointer[snapshot]
	fenced        atomic.Pointer[time.Time] // when the last fence that took effect was requested
	calls         singleflight.Group        // "refresh" and "fence"
}

// snapshot is one answer of the store. It is never changed.
type snapshot struct {
	generation       int64
	cacheEnabled     bool      // no fence stands: entries of the generation may be used
	storeUnavailable bool      // the rest is from before, and valid until the store answers
	requested        time.Time // from when on it is valid for validFor
}

// validFor is how long after it was requested a snapshot may be used.
func (c *generationCache) validFor() time.Duration { return c.fenceDuration / 6 }

// refreshAfter is the age at which a snapshot is refreshed in the background.
func (c *generationCache) refreshAfter() time.Duration { return c.fenceDuration / 30 }

// leeway is for clocks that do not run at quite the same rate.
func (c *generationCache) leeway() time.Duration { return c.fenceDuration / 30 }

func newGenerationCache(s store, fenceDuration time.Duration, log *slog.Logger) *generationCache {
	c := &generationCache{store: s, fenceDuration: fenceDuration, log: log}
	c.latest.Store(&snapshot{})
	c.fenced.Store(&time.Time{})
	return c
}

// wait waits for the calls that run in the background.
func (c *generationCache) wait() {
	for _, call := range []string{"refresh", "fence"} {
		_, _, _ = c.calls.Do(call, func() (any, error) { return nil, nil })
	}
}

// current returns the generation whose entries a read that begins with this call may
// use; if ok is false, it may use none. current waits only if the snapshot is too old,
// because there was no call for a while or the store is slow: for at most two answers
// of the store. A call may join a refresh that is already running, because the age
// of a snapshot counts from when it was requested.
func (c *generationCache) current(ctx context.Context) (generation int64, ok bool) {
	began := time.Now()
	for {
		s := c.latest.Load()
		age := began.Sub(s.requested)
		var refreshed <-chan singleflight.Result
		if age > c.refreshAfter() {
			refreshed = c.calls.DoChan("refresh", c.refresh)
		}
		if s.storeUnavailable || age <= c.validFor() {
			return s.generation, s.cacheEnabled
		}
		select {
		case <-refreshed:
		case <-ctx.Done():
			return 0, false
		}
	}
}

// refresh replaces the snapshot. If the store is unavailable, presumably no replica can
// change anything, so the last snapshot remains valid.
func (c *generationCache) refresh() (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	last, next := c.latest.Load(), snapshot{requested: time.Now()}
	generation, fenced, err := c.store.read(ctx)
	switch {
	case err == nil:
		next.generation, next.cacheEnabled = generation, !fenced
		if last.cacheEnabled != next.cacheEnabled {
			c.log.InfoContext(ctx, "the cache's generation was read",
				"cache_enabled", next.cacheEnabled, "generation", generation)
		}
	case errors.Is(err, errUnavailable):
		next.generation, next.cacheEnabled, next.storeUnavailable = last.generation, last.cacheEnabled, true
	case last.cacheEnabled:
		c.log.WarnContext(ctx, "the cache is not used: its generation cannot be read", "error", err)
	}
	c.latest.Store(&next)
	return nil, nil
}

// fence returns once no reader uses an entry with data from before this call, whether
// it is cached already or its load still runs. Many calls share one fence: if one
// stands, fence returns at once, and renews it in the background when half of its
// time is over. After an error, readers may use any entry.
func (c *generationCache) fence(ctx context.Context) error {
	for {
		age := time.Since(*c.fenced.Load())
		if age <= c.fenceDuration/2 {
			return nil
		}
		set := c.calls.DoChan("fence", c.setFence)
		if age < c.fenceDuration-c.leeway() {
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

// setFence sets the next fence and waits until the snapshot of every replica is from
// after it.
func (c *generationCache) setFence() (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	requested := time.Now()
	if err := c.store.fence(ctx, c.fenceDuration); err != nil {
		return nil, err
	}
	<-time.After(c.validFor() + c.leeway())
	c.fenced.Store(&requested)
	return nil, nil
}
