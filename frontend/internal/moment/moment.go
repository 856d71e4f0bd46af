// Package moment shares one answer among all who ask the same thing at nearly
// the same time.
package moment

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Cache keeps answers by key for a moment. The zero value shares nothing. It is
// safe for concurrent use and starts no goroutine.
type Cache[V any] struct {
	life time.Duration // from when the question was asked on, so that no answer is older
	most int
	now  func() time.Time

	mu      sync.Mutex // guards entries
	entries map[string]*entry[V]
}

// entry is an answer, or the wait for it.
type entry[V any] struct {
	asked time.Time
	done  chan struct{} // closed once value and err are set
	value V
	err   error
}

// errBroken is what the others get when the load they wait for panics.
var errBroken = errors.New("the load that was shared broke off")

// New returns a cache that keeps each answer for life, at most so many at once.
// A life of 0 shares nothing.
func New[V any](life time.Duration, most int, now func() time.Time) *Cache[V] {
	return &Cache[V]{life: life, most: most, now: now, entries: map[string]*entry[V]{}}
}

// Get is what load gave to somebody who asked for the key less than the cache's
// life ago, or gives now. The one who asks first loads, for all who come
// meanwhile, and so has the deadline of ctx but not its end; who waits may leave.
// Errors are shared with those who wait and then forgotten. Nobody may change the
// value.
func (c *Cache[V]) Get(ctx context.Context, key string, load func(context.Context) (V, error)) (V, error) {
	if c == nil || c.life == 0 {
		return load(ctx)
	}
	e, first := c.join(key)
	if first {
		shared := context.WithoutCancel(ctx)
		if end, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			shared, cancel = context.WithDeadline(shared, end)
			defer cancel()
		}
		c.load(shared, key, e, load)
		return e.value, e.err
	}
	select {
	case <-e.done:
		return e.value, e.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// join finds the key's entry, or makes it, for the caller to load.
func (c *Cache[V]) join(key string) (e *entry[V], first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if e, ok := c.entries[key]; ok && now.Sub(e.asked) < c.life {
		return e, false
	}
	e = &entry[V]{asked: now, done: make(chan struct{}), err: errBroken}
	c.entries[key] = e
	if len(c.entries) > c.most {
		c.makeRoom(key, now)
	}
	return e, true
}

// makeRoom drops what is over and, if that is not enough, any other entry: a
// flood of keys costs loads, not memory. c.mu is held.
func (c *Cache[V]) makeRoom(key string, now time.Time) {
	for k, e := range c.entries {
		if now.Sub(e.asked) >= c.life {
			delete(c.entries, k)
		}
	}
	for k := range c.entries {
		if len(c.entries) <= c.most {
			return
		}
		if k != key {
			delete(c.entries, k)
		}
	}
}

func (c *Cache[V]) load(ctx context.Context, key string, e *entry[V], load func(context.Context) (V, error)) {
	defer func() {
		if e.err != nil {
			c.forget(key, e)
		}
		close(e.done)
	}()
	e.value, e.err = load(ctx)
}

func (c *Cache[V]) forget(key string, e *entry[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[key] == e {
		delete(c.entries, key)
	}
}
