package moment_test

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"craftista/frontend/internal/moment"
)

// counting is a load that gives 1, 2, 3 …
func counting(n *atomic.Int64) func(context.Context) (int64, error) {
	return func(context.Context) (int64, error) { return n.Add(1), nil }
}

func check(t *testing.T, c *moment.Cache[int64], key string, load func(context.Context) (int64, error), want int64) {
	t.Helper()
	if got, err := c.Get(t.Context(), key, load); err != nil || got != want {
		t.Errorf("%s: %d, %v; want %d", key, got, err, want)
	}
}

func TestAnswersLastForAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		c := moment.New[int64](time.Second, 2, time.Now)
		slow := func(ctx context.Context) (int64, error) {
			<-time.After(900 * time.Millisecond)
			return counting(&n)(ctx)
		}
		check(t, c, "a", slow, 1)
		check(t, c, "a", slow, 1)
		check(t, c, "b", counting(&n), 2)
		<-time.After(100 * time.Millisecond) // a second since it was asked, not since it was answered
		check(t, c, "a", counting(&n), 3)
	})
}

func TestNothingIsSharedWithoutALife(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	for want, c := range []*moment.Cache[int64]{nil, {}, moment.New[int64](0, 2, time.Now)} {
		check(t, c, "a", counting(&n), int64(want)+1)
	}
}

// TestOneLoadForAll: the one who loads hangs up, and so does one of those who
// wait; the others get the answer.
func TestOneLoadForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		c := moment.New[int64](time.Second, 2, time.Now)
		load := func(ctx context.Context) (int64, error) {
			<-time.After(500 * time.Millisecond)
			return n.Add(1), ctx.Err()
		}
		ctx, hangUp := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = c.Get(ctx, "a", load) })
		synctest.Wait()
		for range 20 {
			wg.Go(func() { check(t, c, "a", load, 1) })
		}
		wg.Go(func() {
			if _, err := c.Get(ctx, "a", load); !errors.Is(err, context.Canceled) {
				t.Errorf("who left got %v", err)
			}
		})
		synctest.Wait()
		hangUp()
		wg.Wait()
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	c := moment.New[int64](time.Hour, 2, time.Now)
	if _, err := c.Get(t.Context(), "a", func(context.Context) (int64, error) { return 7, io.EOF }); !errors.Is(err, io.EOF) {
		t.Errorf("error %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = c.Get(t.Context(), "a", func(context.Context) (int64, error) { panic("torn") })
	}()
	check(t, c, "a", counting(&n), 1)
}

func TestKeysAreBounded(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	c := moment.New[int64](time.Hour, 3, time.Now)
	for i := range 100 {
		check(t, c, strconv.Itoa(i), counting(&n), int64(i)+1)
		check(t, c, strconv.Itoa(i), counting(&n), int64(i)+1) // the newest is kept
	}
	n.Store(0)
	for i := range 100 {
		_, _ = c.Get(t.Context(), strconv.Itoa(i), counting(&n))
	}
	if n.Load() < 97 {
		t.Errorf("%d of 100 keys were loaded again, so more than 3 were kept", n.Load())
	}
}
