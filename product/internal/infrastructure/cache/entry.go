package cache

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"time"

	"craftista/product/internal/core"

	"github.com/redis/go-redis/v9"
)

const (
	productTTL = time.Minute
	leaseTTL   = 10 * time.Second // more than loadTimeout, so that a load in time is stored
)

// prefix has the version of the entries' encoding: change it with the encoding, so
// that a new release does not read what an older one stored.
const prefix = "craftista:product:v3:"

func key(id int64) string { return prefix + strconv.FormatInt(id, 10) }

// entry is what is stored at a key: a tag, followed by either a lease (leaseMark and
// a random token) or a product (its ETag, a line feed and its body). The tag consists
// of Redis's run id and the generation, both of when the lease was taken.
type entry struct {
	tag     string // "" if it is a product
	lease   string // tag included; "" if it is a product
	product core.Encoded
}

const leaseMark = "lease "

// appendTag appends a tag. It ends in a space, so that no tag is a prefix of another.
func appendTag(to []byte, runID string, generation int64) []byte {
	return append(strconv.AppendInt(append(append(to, runID...), ':'), generation, 10), ' ')
}

// parseEntry parses a stored entry. ok is false if nothing is stored, or an entry
// with another tag. The product's body is a part of stored, not a copy.
func parseEntry(stored, tag []byte) (e entry, ok bool) {
	rest, ok := bytes.CutPrefix(stored, tag)
	switch {
	case !ok:
		return entry{}, false
	case bytes.HasPrefix(rest, []byte(leaseMark)):
		return entry{tag: string(tag), lease: string(stored)}, true
	}
	etag, body, ok := bytes.Cut(rest, []byte("\n"))
	return entry{product: core.Encoded{ETag: string(etag), Body: body}}, ok
}

// acquireLeaseScript returns the entry at KEYS[1] if it has the tag ARGV[2]. Otherwise
// it stores the lease ARGV[1] there for ARGV[3] milliseconds, and returns it.
var acquireLeaseScript = redis.NewScript(`
local stored = redis.call('GET', KEYS[1])
if stored and string.sub(stored, 1, #ARGV[2]) == ARGV[2] then return stored end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return ARGV[1]`)

// replaceLeaseScript stores the product ARGV[2] at KEYS[1] for ARGV[3] milliseconds
// if the lease ARGV[1] is still there.
var replaceLeaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return '' end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 'stored'`)

// errRestarted says that Redis restarted between two commands, so that an entry may be
// from another run than its tag says.
var errRestarted = errors.New("redis restarted between two commands")

// read returns the product at key [2] or the lease to load it under [3]. It takes the
// run id only after the answer: then that is the id of the connection's run or of a
// newer one, never of an older one.
func (c *Cache) read(ctx context.Context, key string, generation int64) (entry, error) {
	stored, err := c.redis.get(ctx, key)
	if err != nil {
		return entry{}, err
	}
	runID := c.redis.runID.Load()
	tag := appendTag(make([]byte, 0, 64), *runID, generation) // room enough to stay off the heap
	if e, ok := parseEntry(stored, tag); ok {
		return e, nil
	}
	stored, err = c.redis.acquireLease(ctx, key, string(tag))
	if err != nil {
		return entry{}, err
	}
	e, ok := parseEntry(stored, tag)
	if !ok || c.redis.runID.Load() != runID {
		return entry{}, errRestarted
	}
	return e, nil
}

// get returns the entry at key, nil if there is none.
func (c *redisClient) get(ctx context.Context, key string) (stored []byte, err error) {
	err = c.do(ctx, func(ctx context.Context) (err error) {
		stored, err = c.client.Get(ctx, key).Bytes()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return stored, err
}

// acquireLease returns the entry at key that has the tag, which is a new lease if
// there was none.
func (c *redisClient) acquireLease(ctx context.Context, key, tag string) (stored []byte, err error) {
	err = c.do(ctx, func(ctx context.Context) error {
		lease := tag + leaseMark + rand.Text()
		text, err := acquireLeaseScript.Run(ctx, c.client, []string{key}, lease, tag, leaseTTL.Milliseconds()).Text()
		stored = []byte(text)
		return err
	})
	return stored, err
}

// replaceLease stores the product in place of the lease, if that is still there.
func (c *redisClient) replaceLease(ctx context.Context, key string, lease entry, p core.Encoded) error {
	return c.do(ctx, func(ctx context.Context) error {
		stored := lease.tag + p.ETag + "\n" + string(p.Body)
		return replaceLeaseScript.Run(ctx, c.client, []string{key}, lease.lease, stored, productTTL.Milliseconds()).Err()
	})
}

// remove removes products and leases alike.
func (c *redisClient) remove(ctx context.Context, keys []string) error {
	return c.do(ctx, func(ctx context.Context) error { return c.client.Del(ctx, keys...).Err() })
}
