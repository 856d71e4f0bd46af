package redis_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
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
	return openWith(t, url, patience, &register{}, slog.DiscardHandler)
}

// openWith opens a cache, one replica's, that shares register with others.
func openWith(t *testing.T, url string, patience time.Duration, r *register, log slog.Handler) *redis.Cache {
	t.Helper()
	quiet := telemetry.Discard()
	quiet.Log = slog.New(log)
	trust := core.NewTrust(r, core.VetoTerm, quiet.Log)
	t.Cleanup(trust.Close)
	c, err := redis.Open(url, patience, trust, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// register is a core.Register in memory, whose vetoes last until the test ends
// them.
type register struct {
	epoch  atomic.Int64
	vetoed atomic.Bool
}

func (r *register) Read(context.Context) (int64, bool, error) {
	return r.epoch.Load(), r.vetoed.Load(), nil
}

func (r *register) Veto(context.Context, time.Duration) error {
	r.vetoed.Store(true)
	r.epoch.Add(1)
	return nil
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

func piece(text string) core.Encoded {
	return core.Encoded{ETag: `"` + strconv.Itoa(len(text)) + `"`, Body: []byte(text)}
}

// gives is a load of text.
func gives(text string) func(context.Context) (core.Encoded, error) {
	return func(context.Context) (core.Encoded, error) { return piece(text), nil }
}

func forget(ctx context.Context, t *testing.T, c *redis.Cache, ids ...int64) {
	t.Helper()
	if err := c.Forget(ctx, ids...); err != nil {
		t.Error(err)
	}
}

func fetch(t *testing.T, c *redis.Cache, id int64, load func(context.Context) (core.Encoded, error), text string, source core.Source) {
	t.Helper()
	got, from, err := c.Fetch(t.Context(), id, load)
	if diff := cmp.Diff(got, piece(text)); err != nil || diff != "" || from != source {
		t.Errorf("got %s, %v; want %s (-got +want):\n%s", from, err, source, diff)
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
		forget(t.Context(), t, b, 1)
		fetch(t, a, 1, gives(`{"v":3}`), `{"v":3}`, core.Miss)
		fetch(t, b, 1, gives(`{"v":4}`), `{"v":3}`, core.Hit)
		fetch(t, b, 11, gives(`{"v":12}`), `{"v":11}`, core.Hit)
		forget(t.Context(), t, b, 1, 11, 111)
		fetch(t, a, 1, gives(`{"v":5}`), `{"v":5}`, core.Miss)
		fetch(t, a, 11, gives(`{"v":13}`), `{"v":13}`, core.Miss)
	})
}

func TestWhatIsKeptExpires(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	c := open(t, url)
	fetch(t, c, 1, gives(`{}`), `{}`, core.Miss)
	if _, _, err := c.Fetch(t.Context(), 2, func(context.Context) (core.Encoded, error) { return core.Encoded{}, io.EOF }); !errors.Is(err, io.EOF) {
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
		got, _, err := a.Fetch(t.Context(), 1, func(context.Context) (core.Encoded, error) { return core.Encoded{}, io.ErrUnexpectedEOF })
		if !errors.Is(err, io.ErrUnexpectedEOF) || got.Body != nil {
			t.Errorf("got %s, %v", got.Body, err)
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
		fetch(t, a, 1, func(ctx context.Context) (core.Encoded, error) {
			fetch(t, b, 1, gives(`{"v":0}`), `{"v":0}`, core.Miss) // under a's lease, and kept
			forget(ctx, t, b, 1)
			return piece(`{"v":0}`), nil
		}, `{"v":0}`, core.Miss)
		fetch(t, a, 1, func(ctx context.Context) (core.Encoded, error) { // a's old load was not kept
			forget(ctx, t, b, 1)
			fetch(t, a, 1, gives(`{"v":2}`), `{"v":2}`, core.Miss) // does not join its own process's old load
			return piece(`{"v":1}`), nil
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
		load := func(ctx context.Context) (core.Encoded, error) {
			if loads.Add(1) == 1 {
				close(loading)
			}
			<-letGo
			return piece(`{}`), ctx.Err()
		}
		first, hangUp := context.WithCancel(t.Context())
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
	forget(ctx, t, c, 1)
	fetch(t, c, 1, gives(`{"v":2}`), `{"v":2}`, core.Miss)
}

func TestBypass(t *testing.T) {
	t.Parallel()
	server, trust := redistest.Start(t), &register{}
	c := openWith(t, server.URL(), patience, trust, slog.DiscardHandler)
	fetch(t, c, 1, gives(`{"v":1}`), `{"v":1}`, core.Miss)
	server.Kill()
	fetch(t, c, 1, gives(`{"v":2}`), `{"v":2}`, core.Bypass)
	forget(t.Context(), t, c, 1)
	if _, source, err := c.Fetch(t.Context(), 1, func(context.Context) (core.Encoded, error) { return core.Encoded{}, io.EOF }); !errors.Is(err, io.EOF) || source != core.Bypass {
		t.Errorf("got %s, %v", source, err)
	}
	server.Restart()
	trust.vetoed.Store(false)
	until(t, func() bool {
		_, source, err := c.Fetch(t.Context(), 1, gives(`{"v":3}`))
		return source == core.Miss && err == nil
	})
	fetch(t, c, 2, func(context.Context) (core.Encoded, error) { // goes away between the lease and the fill
		server.Kill()
		return piece(`{"v":4}`), nil
	}, `{"v":4}`, core.Miss)
}

// until waits until done.
func until(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("this does not come to pass")
		}
	}
}

func TestOpenRefusesWithoutRepeatingTheURL(t *testing.T) {
	t.Parallel()
	trust := core.NewTrust(&register{}, core.VetoTerm, slog.New(slog.DiscardHandler))
	t.Cleanup(trust.Close)
	for _, url := range []string{"http://:hunter2@localhost", "redis://:hunter2@localhost:port", "redis://:hunter2@localhost/zero", "%hunter2"} {
		_, err := redis.Open(url, patience, trust, telemetry.Discard())
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
					got, _, err := c.Fetch(t.Context(), id, func(context.Context) (core.Encoded, error) {
						loads.Add(1)
						return piece(`{}`), nil
					})
					if string(got.Body) != `{}` || err != nil {
						t.Errorf("got %s, %v", got.Body, err)
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
