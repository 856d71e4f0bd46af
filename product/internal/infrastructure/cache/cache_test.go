package cache

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"craftista/product/internal/core"
	"craftista/product/redistest"
	"craftista/shared/telemetry"
	"craftista/shared/waittest"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
)

const timeout = 10 * time.Second // more than a busy test machine needs

func open(t *testing.T, url string) *Cache {
	t.Helper()
	return openWith(t, url, &memoryStore{}, telemetry.Discard())
}

// openWith opens a cache, one replica's, that shares a store with others.
func openWith(t *testing.T, url string, m *memoryStore, tel *telemetry.Telemetry) *Cache {
	t.Helper()
	s, err := openRedis(url, timeout, tel)
	if err != nil {
		t.Fatal(err)
	}
	c := newCache(s, newGenerationCache(m, DefaultFenceDuration, tel.Log), tel)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// onEach runs test against a real Redis and against the one that the stack
// has in memory.
func onEach(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("redis-server", func(t *testing.T) {
		t.Parallel()
		test(t, redistest.Start(t).URL())
	})
	t.Run("miniredis", func(t *testing.T) {
		t.Parallel()
		test(t, "redis://"+miniredis.RunT(t).Addr())
	})
}

func encoded(text string) core.Encoded {
	return core.Encoded{ETag: `"` + strconv.Itoa(len(text)) + `"`, Body: []byte(text)}
}

// gives is a load of text.
func gives(text string) core.Load {
	return func(context.Context) (core.Encoded, error) { return encoded(text), nil }
}

func fails(context.Context) (core.Encoded, error) { return core.Encoded{}, io.ErrUnexpectedEOF }

func invalidate(ctx context.Context, t *testing.T, c *Cache, ids ...int64) {
	t.Helper()
	if err := c.Invalidate(ctx, ids...); err != nil {
		t.Error(err)
	}
}

func fetch(t *testing.T, c *Cache, id int64, load core.Load, text string, source core.Source) {
	t.Helper()
	got, from, err := c.Fetch(t.Context(), id, load)
	if diff := cmp.Diff(got, encoded(text)); err != nil || diff != "" || from != source {
		t.Errorf("got %s, %v; want %s (-got +want):\n%s", from, err, source, diff)
	}
}

// until reads until one comes from that source.
func until(t *testing.T, c *Cache, id int64, text string, source core.Source) {
	t.Helper()
	waittest.Until(t, "a "+string(source), func() bool {
		_, got, err := c.Fetch(t.Context(), id, gives(text))
		return got == source && err == nil
	})
}

func TestFetchStoresUntilInvalidate(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, url string) {
		a, b := open(t, url), open(t, url)
		fetch(t, a, 1, gives(`{"v":1}`), `{"v":1}`, core.Miss)
		fetch(t, a, 1, gives(`{"v":2}`), `{"v":1}`, core.Hit)
		fetch(t, b, 1, gives(`{"v":2}`), `{"v":1}`, core.Hit)
		fetch(t, b, 11, gives(`{"v":11}`), `{"v":11}`, core.Miss)
		invalidate(t.Context(), t, b, 1)
		fetch(t, a, 1, gives(`{"v":3}`), `{"v":3}`, core.Miss)
		fetch(t, b, 1, gives(`{"v":4}`), `{"v":3}`, core.Hit)
		fetch(t, b, 11, gives(`{"v":12}`), `{"v":11}`, core.Hit)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		invalidate(ctx, t, b, 1, 11, 111) // outlives its caller
		fetch(t, a, 1, gives(`{"v":5}`), `{"v":5}`, core.Miss)
		fetch(t, a, 11, gives(`{"v":13}`), `{"v":13}`, core.Miss)
	})
}

func TestEntriesExpire(t *testing.T) {
	t.Parallel()
	c, start := open(t, redistest.Start(t).URL()), time.Now()
	fetch(t, c, 1, gives(`{}`), `{}`, core.Miss)
	if _, _, err := c.Fetch(t.Context(), 2, fails); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	for id, most := range map[int64]time.Duration{1: time.Minute, 2: 10 * time.Second} { // a product, and a lease
		left, err := c.redis.client.PTTL(t.Context(), key(id)).Result()
		if err != nil || left > most || left < most-time.Since(start) {
			t.Errorf("key %d lives %v, %v; want %v", id, left, err, most)
		}
	}
}

// TestErrorsAreNotStored: the load's own error comes back, and the next load,
// though under the same lease, is stored.
func TestErrorsAreNotStored(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, url string) {
		a, b := open(t, url), open(t, url)
		if got, _, err := a.Fetch(t.Context(), 1, fails); !errors.Is(err, io.ErrUnexpectedEOF) || got.Body != nil {
			t.Errorf("got %s, %v", got.Body, err)
		}
		fetch(t, b, 1, gives(`{}`), `{}`, core.Miss)
		fetch(t, a, 1, gives(`{"v":2}`), `{}`, core.Hit)
	})
}

// TestInvalidateVoidsLoadsUnderWay stops one load on each of two replicas in the
// middle of each other and of an Invalidate.
func TestInvalidateVoidsLoadsUnderWay(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, url string) {
		a, b := open(t, url), open(t, url)
		fetch(t, a, 1, func(ctx context.Context) (core.Encoded, error) {
			fetch(t, b, 1, gives(`{"v":0}`), `{"v":0}`, core.Miss) // under a's lease, and stored
			invalidate(ctx, t, b, 1)
			return encoded(`{"v":0}`), nil
		}, `{"v":0}`, core.Miss)
		fetch(t, a, 1, func(ctx context.Context) (core.Encoded, error) { // a's old load was not stored
			invalidate(ctx, t, b, 1)
			fetch(t, a, 1, gives(`{"v":2}`), `{"v":2}`, core.Miss) // does not join its own process's old load
			return encoded(`{"v":1}`), nil
		}, `{"v":1}`, core.Miss)
		fetch(t, a, 1, gives(`{"v":3}`), `{"v":2}`, core.Hit)
		fetch(t, b, 1, gives(`{"v":3}`), `{"v":2}`, core.Hit)
	})
}

// TestOneLoadForAll: many readers miss at once and the first of them is cancelled.
// The load goes on, once, for all.
func TestOneLoadForAll(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, url string) {
		c := open(t, url)
		var loads atomic.Int64
		loading, letGo := make(chan struct{}), make(chan struct{})
		load := func(ctx context.Context) (core.Encoded, error) {
			if loads.Add(1) == 1 {
				close(loading)
			}
			<-letGo
			return encoded(`{}`), ctx.Err()
		}
		first, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _, _, _ = c.Fetch(first, 1, load) })
		<-loading
		for range 20 {
			wg.Go(func() {
				if got, _, err := c.Fetch(t.Context(), 1, load); string(got.Body) != `{}` || err != nil {
					t.Errorf("got %s, %v", got.Body, err)
				}
			})
		}
		cancel()
		close(letGo)
		wg.Wait()
		if got := loads.Load(); got != 1 {
			t.Errorf("%d loads, want 1", got)
		}
	})
}

// TestLatecomersDoNotLoadAgain has readers arrive at every moment around a quick
// load, also just after it ended.
func TestLatecomersDoNotLoadAgain(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, url string) {
		c := open(t, url)
		for id := range int64(100) {
			var loads atomic.Int64
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					_, _, err := c.Fetch(t.Context(), id, func(context.Context) (core.Encoded, error) {
						loads.Add(1)
						return encoded(`{}`), nil
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if got := loads.Load(); got != 1 {
				t.Errorf("product %d: %d loads, want 1", id, got)
			}
		}
	})
}

// TestRedisDiesDuringALoad: the reader gets what was loaded all the same, and
// what Invalidate cannot remove it fences.
func TestRedisDiesDuringALoad(t *testing.T) {
	t.Parallel()
	server, m := redistest.Start(t), &memoryStore{}
	c := openWith(t, server.URL(), m, telemetry.Discard())
	if err := c.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	fetch(t, c, 1, func(context.Context) (core.Encoded, error) {
		server.Kill()
		return encoded(`{"v":1}`), nil
	}, `{"v":1}`, core.Miss)
	if c.Ready(t.Context()) == nil {
		t.Error("ready without Redis")
	}
	if _, source, err := c.Fetch(t.Context(), 1, fails); source != core.Bypass || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %s, %v", source, err)
	}
	invalidate(t.Context(), t, c, 1)
	if m.fences == 0 {
		t.Error("no fence")
	}
	server.Restart()
	waittest.Until(t, "readiness", func() bool { return c.Ready(t.Context()) == nil })
}
