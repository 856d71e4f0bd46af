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

// prefix names the form of the entries: change it with the form, so that a new
// release does not serve what the one before it stored.
const prefix = "craftista:product:v2:"

func key(id int64) string { return prefix + strconv.FormatInt(id, 10) }

// entry is what is stored at a key: a tag and then either a lease, which is
// leaseMark and a random token, or a product: its ETag, a line end and its body.
// The tag says in which generation and in which run of Redis the lease was taken.
type entry struct {
	tag     string // of the lease
	lease   string // with its tag; "" if it is a product
	product core.Encoded
}

const leaseMark = "lease "

// appendTag appends a tag, which ends in a space, so that none starts another.
func appendTag(to []byte, run string, generation int64) []byte {
	return append(strconv.AppendInt(append(append(to, run...), ':'), generation, 10), ' ')
}

// parse reads what is stored under the tag; it is not ok if that is nothing. The
// product's body is part of stored.
func parse(stored, tag []byte) (e entry, ok bool) {
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

// acquire returns what is stored at KEYS[1] if it has the tag ARGV[2], and else
// stores the lease ARGV[1] for ARGV[3] milliseconds there.
var acquire = redis.NewScript(`
local stored = redis.call('GET', KEYS[1])
if stored and string.sub(stored, 1, #ARGV[2]) == ARGV[2] then return stored end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return ARGV[1]`)

// replace replaces the lease ARGV[1] at KEYS[1], and nothing else, by ARGV[2]
// for ARGV[3] milliseconds.
var replace = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return '' end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 'stored'`)

// errRestarted says that an answer cannot be told to come from the run that its
// tag names.
var errRestarted = errors.New("redis restarted meanwhile")

// read returns the product at key [2] or the lease to load it under [3]. The run
// is read after the answer: it is that of the connection, or a newer one.
func (c *Cache) read(ctx context.Context, key string, generation int64) (entry, error) {
	stored, err := c.server.get(ctx, key)
	if err != nil {
		return entry{}, err
	}
	run := c.server.run.Load()
	tag := appendTag(make([]byte, 0, 64), *run, generation) // room enough to stay off the heap
	if e, ok := parse(stored, tag); ok {
		return e, nil
	}
	stored, err = c.server.acquireLease(ctx, key, string(tag))
	if err != nil {
		return entry{}, err
	}
	e, ok := parse(stored, tag)
	if !ok || c.server.run.Load() != run {
		return entry{}, errRestarted
	}
	return e, nil
}

// get returns what is stored at key, nil if that is nothing.
func (s *server) get(ctx context.Context, key string) (stored []byte, err error) {
	err = s.do(ctx, func(ctx context.Context) (err error) {
		stored, err = s.client.Get(ctx, key).Bytes()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return stored, err
}

// acquireLease returns what is stored at key under the tag, which is a new lease
// if it was nothing.
func (s *server) acquireLease(ctx context.Context, key, tag string) (stored []byte, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		text, err := acquire.Run(ctx, s.client, []string{key}, tag+leaseMark+rand.Text(), tag, leaseTTL.Milliseconds()).Text()
		stored = []byte(text)
		return err
	})
	return stored, err
}

// replaceLease stores the product if the lease is still there.
func (s *server) replaceLease(ctx context.Context, key string, under entry, p core.Encoded) error {
	return s.do(ctx, func(ctx context.Context) error {
		stored := under.tag + p.ETag + "\n" + string(p.Body)
		return replace.Run(ctx, s.client, []string{key}, under.lease, stored, productTTL.Milliseconds()).Err()
	})
}

// remove removes products and leases alike.
func (s *server) remove(ctx context.Context, keys []string) error {
	return s.do(ctx, func(ctx context.Context) error { return s.client.Del(ctx, keys...).Err() })
}
