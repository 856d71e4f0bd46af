// Package redis keeps encoded pieces in Redis, in front of the store.
package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/telemetry"

	"github.com/redis/go-redis/extra/redisotel/v9"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"golang.org/x/sync/singleflight"
)

const (
	ttl      = time.Minute      // how long a piece is kept
	leaseTTL = 10 * time.Second // more than loadTime, so that a load in time is kept

	loadTime = 5 * time.Second // for one load, which many readers may wait for

	poolSize = 64
)

// prefix names the form of the cached bytes: change it with the form, so that a
// new release does not serve what the one before it kept.
const prefix = "craftista:product:v2:"

// leaseMark starts a lease. A cached piece starts with its ETag and never does.
const leaseMark = "lease:"

// takeLease returns what is kept at KEYS[1], and if that is nothing makes the
// lease ARGV[1] of ARGV[2] milliseconds there.
const takeLease = `
local kept = redis.call('GET', KEYS[1])
if kept then return kept end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`

// fillLease replaces the lease ARGV[1] at KEYS[1], and nothing else, by ARGV[2]
// for ARGV[3] milliseconds.
const fillLease = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`

// Cache is the core.Cache in Redis. It is safe for concurrent use, and any
// number of processes may share one Redis.
//
// A reader who finds nothing leaves a lease, a random token, in the place of the
// piece and loads; the load is kept only if that lease is still there. Forget
// removes piece and lease alike, so what was loaded before a change is never
// kept after it (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013,
// section 3.2.1). Readers in one process who saw the same lease share one load:
// it began after the lease, hence after every change forgotten before any of
// them came. To share by id instead would hand a new reader an old load.
//
// Limit: a Forget that Redis does not hear, being out of reach, leaves an old
// piece to be served, for its ttl at most, once Redis is back.
type Cache struct {
	client     *redis.Client
	patience   time.Duration
	log        *slog.Logger
	take, fill *redis.Script
	flights    singleflight.Group // by lease
}

// Open returns the cache at url ("redis://:password@host:6379/0"), whose
// commands are spans. It does not connect. Redis answers in well under a
// millisecond; what takes longer than patience, from dialling to the answer, is
// given up without a second try, since the store is at hand. Close the cache in
// the end.
func Open(url string, patience time.Duration, t *telemetry.Telemetry) (*Cache, error) {
	o, err := options(url, patience)
	if err != nil {
		return nil, err
	}
	client := redis.NewClient(o)
	err = errors.Join(
		redisotel.InstrumentTracing(client, redisotel.WithTracerProvider(t.Traces),
			redisotel.WithDBStatement(false), redisotel.WithCallerEnabled(false)), // the statement would be the whole piece
		redisotel.InstrumentMetrics(client, redisotel.WithMeterProvider(t.Metrics)),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("instrument Redis client: %w", err), client.Close())
	}
	return &Cache{client: client, patience: patience, log: t.Log, take: redis.NewScript(takeLease), fill: redis.NewScript(fillLease)}, nil
}

func options(url string, patience time.Duration) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if err != nil { // its text may repeat the password
		return nil, errors.New("read Redis URL: it is not of the form redis://:password@host:port/0")
	}
	o.ContextTimeoutEnabled = true // each command's context ends after patience
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = patience, patience, patience, patience
	o.MaxRetries, o.DialerRetries = -1, 1 // -1 is no retry; of dialling, 1 is one try
	o.PoolSize = poolSize
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o, nil
}

// Close closes the connections.
func (c *Cache) Close() error { return c.client.Close() }

// found is what a flight brings home.
type found struct {
	body   []byte
	source core.Source
}

// Fetch implements core.Cache.
func (c *Cache) Fetch(ctx context.Context, id int64, load func(context.Context) ([]byte, error)) ([]byte, core.Source, error) {
	key := fmt.Sprint(prefix, id)
	kept, err := c.look(ctx, key)
	if err != nil {
		c.warn(ctx, "cache bypassed", key, err)
		body, err := load(ctx)
		return body, core.Bypass, err
	}
	if !strings.HasPrefix(kept, leaseMark) {
		return []byte(kept), core.Hit, nil
	}
	result, err, _ := c.flights.Do(kept, func() (any, error) { return c.load(ctx, key, kept, load) })
	if err != nil {
		return nil, core.Miss, err
	}
	f := result.(found)
	return f.body, f.source, nil
}

// look returns the piece at key or the lease to load it under.
func (c *Cache) look(ctx context.Context, key string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	kept, err := c.client.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		kept, err = c.take.Run(ctx, c.client, []string{key}, leaseMark+rand.Text(), leaseTTL.Milliseconds()).Text()
	}
	return kept, err
}

// load loads for all who saw the lease, so that the one whose request it is may
// hang up, and keeps the outcome. A reader can come here just after another
// flight landed under the same lease, and then finds the piece.
func (c *Cache) load(ctx context.Context, key, lease string, load func(context.Context) ([]byte, error)) (found, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTime)
	defer cancel()
	if kept, err := c.look(ctx, key); err == nil && !strings.HasPrefix(kept, leaseMark) {
		return found{[]byte(kept), core.Hit}, nil
	}
	body, err := load(ctx)
	if err != nil {
		return found{}, err
	}
	ctx, cancelFill := context.WithTimeout(ctx, c.patience)
	defer cancelFill()
	if err := c.fill.Run(ctx, c.client, []string{key}, lease, body, ttl.Milliseconds()).Err(); err != nil {
		c.warn(ctx, "cache not filled", key, err)
	}
	return found{body, core.Miss}, nil
}

// Forget implements core.Cache. It goes on when the caller hangs up: the change
// is committed, and others must not read what was before it.
func (c *Cache) Forget(ctx context.Context, id int64) {
	key := fmt.Sprint(prefix, id)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.patience)
	defer cancel()
	if err := c.client.Del(ctx, key).Err(); err != nil {
		c.warn(ctx, "cache not invalidated, it may serve an old count until it expires", key, err)
	}
}

func (c *Cache) warn(ctx context.Context, message, key string, err error) {
	if errors.Is(err, context.Canceled) {
		return // the reader hung up, Redis is not to blame
	}
	c.log.WarnContext(ctx, message, "key", key, "error", err)
}
