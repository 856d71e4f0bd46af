package redis_test

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"craftista/product/internal/core"
	"craftista/product/internal/infrastructure/redis"
	"craftista/product/internal/redistest"
	"craftista/shared/telemetry"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	client "github.com/redis/go-redis/v9"
)

// patience is more than a busy test machine needs.
const patience = 10 * time.Second

func open(t *testing.T, url string) *redis.Cache {
	t.Helper()
	c, err := redis.Open(url, patience, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
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

// gives is a load of text.
func gives(text string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return []byte(text), nil }
}

func fetch(t *testing.T, c *redis.Cache, id int64, load func(context.Context) ([]byte, error), text string, source core.Source) {
	t.Helper()
	body, from, err := c.Fetch(t.Context(), id, load)
	if err != nil || string(body) != text || from != source {
		t.Errorf("got %s, %s, %v; want %s, %s", body, from, err, text, source)
	}
}

func TestFetchKeepsUntilForget(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, url string) {
		a, b := open(t, url), open(t, url)
		fetch(t, a, 1, gives(`{"v":1}`), `{"v":1}`, core.Miss)
		fetch(t, a, 1, gives(`{"v":2}`), `{"v":1}`, core.Hit)
		fetch(t, b, 1, gives(`{"v":2}`), `{"v":1}`, core.Hit)
		fetch(t, b, 11, gives(`{"v":11}`), `{"v":11}`, core.Miss)
		b.Forget(t.Context(), 1)
		fetch(t, a, 1, gives(`{"v":3}`), `{"v":3}`, core.Miss)
		fetch(t, b, 1, gives(`{"v":4}`), `{"v":3}`, core.Hit)
		fetch(t, b, 11, gives(`{"v":12}`), `{"v":11}`, core.Hit)
	})
}

func TestWhatIsKeptExpires(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	c := open(t, url)
	fetch(t, c, 1, gives(`{}`), `{}`, core.Miss)
	if _, _, err := c.Fetch(t.Context(), 2, func(context.Context) ([]byte, error) { return nil, io.EOF }); !errors.Is(err, io.EOF) {
		t.Errorf("error %v, want EOF", err)
	}
	o, err := client.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	raw := client.NewClient(o)
	t.Cleanup(func() { _ = raw.Close() })
	for id, most := range map[int]time.Duration{1: time.Minute, 2: 10 * time.Second} { // a piece, and a lease that came to nothing
		left, err := raw.PTTL(t.Context(), "craftista:product:v2:"+strconv.Itoa(id)).Result()
		if err != nil || left > most || left < most-5*time.Second {
			t.Errorf("key %d lives %v, %v; want %v", id, left, err, most)
		}
	}
}

// TestErrorsAreNotKept: the load's own error comes back, and the next load,
// though under the same lease, is kept.
func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, url string) {
		a, b := open(t, url), open(t, url)
		body, _, err := a.Fetch(t.Context(), 1, func(context.Context) ([]byte, error) { return nil, io.ErrUnexpectedEOF })
		if !errors.Is(err, io.ErrUnexpectedEOF) || body != nil {
			t.Errorf("got %s, %v", body, err)
		}
		fetch(t, b, 1, gives(`{}`), `{}`, core.Miss)
		fetch(t, a, 1, gives(`{"v":2}`), `{}`, core.Hit)
	})
}

// TestForgetVoidsLoadsUnderWay stops one load on each of two replicas in the
// middle of each other and of a Forget.
func TestForgetVoidsLoadsUnderWay(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, url string) {
		a, b := open(t, url), open(t, url)
		fetch(t, a, 1, func(ctx context.Context) ([]byte, error) {
			fetch(t, b, 1, gives(`{"v":0}`), `{"v":0}`, core.Miss) // under a's lease, and kept
			b.Forget(ctx, 1)
			return []byte(`{"v":0}`), nil
		}, `{"v":0}`, core.Miss)
		fetch(t, a, 1, func(ctx context.Context) ([]byte, error) { // a's old load was not kept
			b.Forget(ctx, 1)
			fetch(t, a, 1, gives(`{"v":2}`), `{"v":2}`, core.Miss) // does not join its own process's old load
			return []byte(`{"v":1}`), nil
		}, `{"v":1}`, core.Miss)
		fetch(t, a, 1, gives(`{"v":3}`), `{"v":2}`, core.Hit)
		fetch(t, b, 1, gives(`{"v":3}`), `{"v":2}`, core.Hit)
	})
}

// TestOneLoadForAll: many readers miss at once and the first of them hangs up.
// The load goes on, once, for all.
func TestOneLoadForAll(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, url string) {
		c := open(t, url)
		var loads atomic.Int64
		loading, letGo := make(chan struct{}), make(chan struct{})
		load := func(ctx context.Context) ([]byte, error) {
			if loads.Add(1) == 1 {
				close(loading)
			}
			<-letGo
			return []byte(`{}`), ctx.Err()
		}
		first, hangUp := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _, _, _ = c.Fetch(first, 1, load) })
		<-loading
		for range 20 {
			wg.Go(func() {
				if body, _, err := c.Fetch(t.Context(), 1, load); string(body) != `{}` || err != nil {
					t.Errorf("got %s, %v", body, err)
				}
			})
		}
		hangUp()
		close(letGo)
		wg.Wait()
		if got := loads.Load(); got != 1 {
			t.Errorf("%d loads, want 1", got)
		}
	})
}

func TestForgetOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	c := open(t, redistest.Start(t).URL())
	fetch(t, c, 1, gives(`{"v":1}`), `{"v":1}`, core.Miss)
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	c.Forget(ctx, 1)
	fetch(t, c, 1, gives(`{"v":2}`), `{"v":2}`, core.Miss)
}

func TestBypass(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	c := open(t, server.URL())
	fetch(t, c, 1, gives(`{"v":1}`), `{"v":1}`, core.Miss)
	server.Kill()
	fetch(t, c, 1, gives(`{"v":2}`), `{"v":2}`, core.Bypass)
	c.Forget(t.Context(), 1)
	if _, source, err := c.Fetch(t.Context(), 1, func(context.Context) ([]byte, error) { return nil, io.EOF }); !errors.Is(err, io.EOF) || source != core.Bypass {
		t.Errorf("got %s, %v", source, err)
	}
	server.Restart()
	fetch(t, c, 2, func(context.Context) ([]byte, error) { // goes away between the lease and the fill
		server.Kill()
		return []byte(`{"v":3}`), nil
	}, `{"v":3}`, core.Miss)
}

func TestOpenRefusesWithoutRepeatingTheURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://:hunter2@localhost", "redis://:hunter2@localhost:port", "redis://:hunter2@localhost/zero", "%hunter2"} {
		_, err := redis.Open(url, patience, telemetry.Discard())
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v", url, err)
		}
	}
	if diff := cmp.Diff(open(t, "rediss://:hunter2@localhost:6380/3") != nil, true); diff != "" {
		t.Error(diff)
	}
}

// TestHerds has readers arrive at every moment around a quick load, also just
// after it landed: each herd still loads once.
func TestHerds(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, url string) {
		c := open(t, url)
		for id := range int64(100) {
			var loads atomic.Int64
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					body, _, err := c.Fetch(t.Context(), id, func(context.Context) ([]byte, error) {
						loads.Add(1)
						return []byte(`{}`), nil
					})
					if string(body) != `{}` || err != nil {
						t.Errorf("got %s, %v", body, err)
					}
				})
			}
			wg.Wait()
			if got := loads.Load(); got != 1 {
				t.Errorf("piece %d: %d loads, want 1", id, got)
			}
		}
	})
}
