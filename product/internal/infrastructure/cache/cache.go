// Package cache keeps encoded products in Redis, in front of PostgreSQL, and
// never gives a reader what an acknowledged change replaced. The protocol and
// why it holds are in docs/cache.md; the numbers in brackets here are its steps.
package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/telemetry"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/singleflight"
)

// loadTimeout bounds one load, which many readers may wait for.
const loadTimeout = 5 * time.Second

// DefaultFenceDuration is how long a fence stands. Reads bypass the cache meanwhile,
// and the change that sets the fence waits for a fifth of it.
const DefaultFenceDuration = 3 * time.Second

// Options are what a cache is made of.
type Options struct {
	RedisURL      string        // redis://:password@host:6379/0
	RedisTimeout  time.Duration // of one command, from dialling to the answer
	DatabaseURL   string        // for one connection of the cache's own
	DB            *sqlx.DB      // sets fences; the caller closes it, after the cache
	FenceDuration time.Duration // the same for all replicas; 0 is DefaultFenceDuration
	Telemetry     *telemetry.Telemetry
}

// Cache is the core.Cache in Redis. It is safe for concurrent use, and any
// number of processes may share one Redis and one database.
type Cache struct {
	counters
	redis         *redisClient
	generation    *generationCache
	log           *slog.Logger
	loads         singleflight.Group // by lease
	writesFailing atomic.Bool        // Redis responds, but with errors
	close         func() error       // of the generation store
}

// Open returns the cache. It does not connect. Close it in the end.
func Open(o Options) (*Cache, error) {
	if o.FenceDuration == 0 {
		o.FenceDuration = DefaultFenceDuration
	}
	generations, err := openGenerationStore(o.DatabaseURL, o.DB, o.Telemetry)
	if err != nil {
		return nil, err
	}
	client, err := openRedis(o.RedisURL, o.RedisTimeout, o.Telemetry)
	if err != nil {
		return nil, errors.Join(err, generations.close())
	}
	c := newCache(client, newGenerationCache(generations, o.FenceDuration, o.Telemetry.Log), o.Telemetry)
	c.close = generations.close
	return c, nil
}

func newCache(r *redisClient, g *generationCache, t *telemetry.Telemetry) *Cache {
	return &Cache{redis: r, generation: g, log: t.Log, counters: newCounters(t), close: func() error { return nil }}
}

// Close waits for the queries that run and closes the connections.
func (c *Cache) Close() error {
	c.generation.wait()
	return errors.Join(c.redis.client.Close(), c.close())
}

// Ready is nil while Redis answers in time. It counts like any command.
func (c *Cache) Ready(ctx context.Context) error {
	return c.redis.do(ctx, func(ctx context.Context) error { return c.redis.client.Ping(ctx).Err() })
}

// loaded is the outcome of a load that readers share.
type loaded struct {
	product core.Encoded
	source  core.Source
}

// fetch is Fetch, uncounted. Readers of one process that got the same lease share
// one load: it began after the lease, hence after every change that was invalidated
// before any of them came [3]. Without a lease no load is shared, because one that
// runs may have begun before a change that was acknowledged.
func (c *Cache) fetch(ctx context.Context, id int64, load core.Load) (core.Encoded, core.Source, error) {
	generation, ok := c.generation.current(ctx) // [1]
	if !ok {
		return bypass(ctx, load)
	}
	e, err := c.read(ctx, key(id), generation)
	switch {
	case err != nil:
		c.logWriteState(ctx, err)
		return bypass(ctx, load)
	case e.lease == "":
		return e.product, core.Hit, nil
	}
	shared, err, _ := c.loads.Do(e.lease, func() (any, error) { return c.fill(ctx, key(id), generation, e, load) })
	if err != nil {
		return core.Encoded{}, core.Miss, err
	}
	l := shared.(loaded)
	return l.product, l.source, nil
}

func bypass(ctx context.Context, load core.Load) (core.Encoded, core.Source, error) {
	product, err := load(ctx)
	return product, core.Bypass, err
}

// fill loads the product for all readers that got the lease, and stores it [4]. A
// cancelled ctx does not interrupt it, because other readers wait for the load too. It
// reads the entry again first: another load under the same lease may just have ended.
func (c *Cache) fill(ctx context.Context, key string, generation int64, lease entry, load core.Load) (loaded, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
	defer cancel()
	if e, err := c.read(ctx, key, generation); err == nil && e.lease == "" {
		return loaded{e.product, core.Hit}, nil
	}
	product, err := load(ctx)
	if err != nil {
		return loaded{}, err
	}
	c.logWriteState(ctx, c.redis.replaceLease(ctx, key, lease, product))
	return loaded{product, core.Miss}, nil
}

// invalidate is Invalidate, uncounted. It tries twice in one round trip each before
// it sets a fence, which costs every reader the cache for a while.
func (c *Cache) invalidate(ctx context.Context, ids []int64) (outcome string, err error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = key(id)
	}
	for range 2 {
		if err := c.redis.remove(ctx, keys); err == nil { // [6]
			return "removed", nil
		}
	}
	if err := c.generation.fence(ctx); err != nil { // [7]
		return "failed", fmt.Errorf("invalidate cached products: %w", err)
	}
	return "fenced", nil
}

// logWriteState logs once when Redis begins to respond with errors, because it is full
// for instance, and once when it stores a product again.
func (c *Cache) logWriteState(ctx context.Context, err error) {
	switch {
	case err == nil && c.writesFailing.CompareAndSwap(true, false):
		c.log.InfoContext(ctx, "cache stores products again")
	case err != nil && answered(err) && c.writesFailing.CompareAndSwap(false, true):
		c.log.WarnContext(ctx, "cache refuses commands", "error", err)
	}
}
