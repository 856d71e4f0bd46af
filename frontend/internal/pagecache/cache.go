// Package pagecache is a microcache: what many visitors ask for at nearly the same
// time is loaded once and shared among them for a second or so.
package pagecache

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Cache stores values by key for a short time. The zero value and nil store
// nothing. It is safe for concurrent use and starts no goroutine.
type Cache[V any] struct {
	ttl        time.Duration // from when the load began, so that no value is older
	maxEntries int
	loads      singleflight.Group

	mu      sync.Mutex // guards entries
	entries map[string]entry[V]
}

type entry[V any] struct {
	value   V
	expires time.Time
}

// New returns a cache that stores each value for ttl and at most so many at once.
// A ttl of 0 stores nothing.
func New[V any](ttl time.Duration, maxEntries int) *Cache[V] {
	return &Cache[V]{ttl: ttl, maxEntries: maxEntries, entries: map[string]entry[V]{}}
}

// Get is the stored value, or else what load gives. All who ask for the key while
// it is loaded wait for that one load, which has the deadline of whoever asked
// first but does not end if they hang up. An error goes to all who wait and is not
// stored. Nobody may change the value.
func (c *Cache[V]) Get(ctx context.Context, key string, load func(context.Context) (V, error)) (V, error) {
	if c == nil || c.ttl == 0 {
		return load(ctx)
	}
	if value, ok := c.stored(key); ok {
		return value, nil
	}
	// Do and not DoChan: nobody has to leave, the deadline of the first is the nearest.
	shared, err, _ := c.loads.Do(key, func() (any, error) {
		expires := time.Now().Add(c.ttl)
		ctx, cancel := withoutHangUp(ctx)
		defer cancel()
		value, err := load(ctx)
		if err == nil {
			c.store(key, entry[V]{value, expires})
		}
		return value, err
	})
	value, _ := shared.(V)
	return value, err
}

// withoutHangUp is ctx with its deadline but without its end before that.
func withoutHangUp(ctx context.Context) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok {
		return context.WithDeadline(context.WithoutCancel(ctx), end)
	}
	return context.WithoutCancel(ctx), func() {}
}

func (c *Cache[V]) stored(key string) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	return e.value, time.Now().Before(e.expires)
}

// store makes room by dropping everything: a flood of keys costs loads, not memory.
func (c *Cache[V]) store(key string, e entry[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= c.maxEntries {
		clear(c.entries)
	}
	c.entries[key] = e
}
