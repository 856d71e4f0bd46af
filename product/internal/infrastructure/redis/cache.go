// Package redis keeps encoded pieces in Redis, in front of the store.
package redis

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/telemetry"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"
)

const (
	ttl      = time.Minute      // how long a piece is kept
	leaseTTL = 10 * time.Second // more than loadTime, so that a load in time is kept

	loadTime = 5 * time.Second // for one load, which many readers may wait for
)

// prefix names the form of the cached pieces: change it with the form, so that a
// new release does not serve what the one before it kept.
const prefix = "craftista:product:v2:"

// What is kept at a key is a tag and then either a lease, which is leaseMark and
// a random token, or a piece: its ETag, a line end and its body.
const leaseMark = "lease "

// takeLease returns what is kept at KEYS[1] if it has the tag ARGV[2], and else
// makes the lease ARGV[1] of ARGV[3] milliseconds there.
const takeLease = `
local kept = redis.call('GET', KEYS[1])
if kept and string.sub(kept, 1, #ARGV[2]) == ARGV[2] then return kept end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return ARGV[1]`

// fillLease replaces the lease ARGV[1] at KEYS[1], and nothing else, by ARGV[2]
// for ARGV[3] milliseconds.
const fillLease = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return '' end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 'kept'`

// Cache is the core.Cache in Redis. It is safe for concurrent use, and any
// number of processes may share one Redis.
//
// A reader who finds nothing leaves a lease, a random token, in the place of the
// piece and loads; the load is kept only if that lease is still there. Forget
// removes piece and lease alike, so what was loaded before a change is never
// kept after it (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013,
// section 3.2.1). Readers in one process who saw the same lease share one load:
// it began after the lease, hence after every change forgotten before any of
// them came. To share by id instead would hand a new reader an old load. Each
// process loads once, also under the lease of another.
//
// A Forget that Redis does not hear is made good by a veto, see core.Trust. One
// that it heard, and forgot itself because it came back from an old snapshot, is
// made good by Redis's name for its run, which changes with every start. Pieces
// and leases are tagged with both epoch and run, as they were before the lease
// was taken, and believed only while both are current.
type Cache struct {
	link       *link
	trust      *core.Trust
	log        *slog.Logger
	take, fill *redis.Script
	flights    singleflight.Group // by lease
	herds      herds              // of readers without a lease
	refused    atomic.Bool        // Redis answers, and keeps nothing
}

// Open returns the cache at url ("redis://:password@host:6379/0"), whose
// commands are spans. It does not connect. Redis answers in well under a
// millisecond; what takes longer than patience, from dialling to the answer, is
// given up, since the store is at hand. trust stays the caller's to close, after
// the cache.
func Open(url string, patience time.Duration, trust *core.Trust, t *telemetry.Telemetry) (*Cache, error) {
	l, err := openLink(url, patience, t)
	if err != nil {
		return nil, err
	}
	return &Cache{link: l, trust: trust, log: t.Log, take: redis.NewScript(takeLease), fill: redis.NewScript(fillLease)}, nil
}

// Close waits for loads under way and closes the connections.
func (c *Cache) Close() error {
	c.herds.work.Wait()
	return c.link.close()
}

// found is what a flight brings home.
type found struct {
	piece  core.Encoded
	source core.Source
}

// Fetch implements core.Cache.
func (c *Cache) Fetch(ctx context.Context, id int64, do func(context.Context) (core.Encoded, error)) (core.Encoded, core.Source, error) {
	epoch, ok := c.trust.Epoch(ctx)
	if !ok {
		return c.bypass(ctx, id, do)
	}
	kept, err := c.look(ctx, key(id), epoch)
	if err != nil {
		c.noteRefusal(ctx, err)
		return c.bypass(ctx, id, do)
	}
	if kept.lease == "" {
		return kept.piece, core.Hit, nil
	}
	result, err, _ := c.flights.Do(kept.lease, func() (any, error) { return c.load(ctx, key(id), epoch, kept, do) })
	if err != nil {
		return core.Encoded{}, core.Miss, err
	}
	f := result.(found)
	return f.piece, f.source, nil
}

func (c *Cache) bypass(ctx context.Context, id int64, do load) (core.Encoded, core.Source, error) {
	piece, err := c.herds.share(ctx, id, do)
	return piece, core.Bypass, err
}

// load loads for all who saw the lease, so that the one whose request it is may
// hang up, and keeps the outcome. A reader can come here just after another
// flight landed under the same lease, and then finds the piece.
func (c *Cache) load(ctx context.Context, key string, epoch int64, under entry, do load) (found, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTime)
	defer cancel()
	if again, err := c.look(ctx, key, epoch); err == nil && again.lease == "" {
		return found{again.piece, core.Hit}, nil
	}
	piece, err := do(ctx)
	if err != nil {
		return found{}, err
	}
	err = c.link.do(ctx, func(ctx context.Context) error {
		kept := under.tag + piece.ETag + "\n" + string(piece.Body)
		return c.fill.Run(ctx, c.link.client, []string{key}, under.lease, kept, ttl.Milliseconds()).Err()
	})
	c.noteRefusal(ctx, err)
	return found{piece, core.Miss}, nil
}

// Forget implements core.Cache, in one round trip. It goes on when the caller
// hangs up: the change is committed, and others must not read what was before
// it. It tries twice before it troubles everybody with a veto.
func (c *Cache) Forget(ctx context.Context, ids ...int64) error {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = key(id)
	}
	for range 2 {
		err := c.link.do(ctx, func(ctx context.Context) error { return c.link.client.Del(ctx, keys...).Err() })
		if err == nil {
			return nil
		}
	}
	if err := c.trust.Veto(ctx); err != nil {
		return fmt.Errorf("forget cached pieces: %w", err)
	}
	return nil
}

// noteRefusal logs once when Redis begins to answer with errors, being full for
// instance, and once when it keeps a piece again.
func (c *Cache) noteRefusal(ctx context.Context, err error) {
	switch {
	case err == nil && c.refused.CompareAndSwap(true, false):
		c.log.InfoContext(ctx, "cache keeps pieces again")
	case err != nil && answered(err) && c.refused.CompareAndSwap(false, true):
		c.log.WarnContext(ctx, "cache refuses commands", "error", err)
	}
}

// entry is what is kept at a key.
type entry struct {
	tag   string // of the lease
	lease string // with its tag; "" if it is a piece
	piece core.Encoded
}

// errRestarted says that an answer cannot be told to come from the run that its
// tag names.
var errRestarted = errors.New("redis restarted meanwhile")

// look returns the piece at key or the lease to load it under. The run is read
// after the answer: it is that of the connection, or a newer one.
func (c *Cache) look(ctx context.Context, key string, epoch int64) (entry, error) {
	var kept []byte
	err := c.link.do(ctx, func(ctx context.Context) (err error) {
		kept, err = c.link.client.Get(ctx, key).Bytes()
		return err
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return entry{}, err
	}
	run := c.link.run.Load()
	tag := appendTag(make([]byte, 0, 64), *run, epoch) // room enough to stay off the heap
	if e, ok := parse(kept, tag); ok {
		return e, nil
	}
	err = c.link.do(ctx, func(ctx context.Context) error {
		lease := string(tag) + leaseMark + rand.Text()
		text, err := c.take.Run(ctx, c.link.client, []string{key}, lease, string(tag), leaseTTL.Milliseconds()).Text()
		kept = []byte(text)
		return err
	})
	if err != nil {
		return entry{}, err
	}
	e, ok := parse(kept, tag)
	if !ok || c.link.run.Load() != run {
		return entry{}, errRestarted
	}
	return e, nil
}

// parse reads what is kept under the tag; it is not ok if that is nothing. The
// piece's body is part of kept.
func parse(kept, tag []byte) (e entry, ok bool) {
	rest, ok := bytes.CutPrefix(kept, tag)
	switch {
	case !ok:
		return entry{}, false
	case bytes.HasPrefix(rest, []byte(leaseMark)):
		return entry{tag: string(tag), lease: string(kept)}, true
	}
	etag, body, ok := bytes.Cut(rest, []byte("\n"))
	return entry{piece: core.Encoded{ETag: string(etag), Body: body}}, ok
}

// appendTag appends a tag, which ends in a space, so that none starts another.
func appendTag(to []byte, run string, epoch int64) []byte {
	return append(strconv.AppendInt(append(append(to, run...), ':'), epoch, 10), ' ')
}

func key(id int64) string { return prefix + strconv.FormatInt(id, 10) }
