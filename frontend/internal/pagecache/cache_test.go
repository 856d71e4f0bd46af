package pagecache_test

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

	"craftista/frontend/internal/pagecache"
)

// counting is a load that gives 1, 2, 3 … after a while.
func counting(n *atomic.Int64, while time.Duration) func(context.Context) (int64, error) {
	return func(ctx context.Context) (int64, error) {
		if while > 0 {
			work, cancel := context.WithTimeout(ctx, while)
			defer cancel()
			<-work.Done()
		}
		return n.Add(1), ctx.Err()
	}
}

func check(
	t *testing.T, c *pagecache.Cache[int64], key string, load func(context.Context) (int64, error), want int64,
) {
	t.Helper()
	if got, err := c.Get(t.Context(), key, load); err != nil || got != want {
		t.Errorf("%s: %d, %v; want %d", key, got, err, want)
	}
}

func TestValuesExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		c := pagecache.New[int64](time.Second, 2)
		check(t, c, "a", counting(&n, 900*time.Millisecond), 1)
		check(t, c, "a", counting(&n, 0), 1)
		check(t, c, "b", counting(&n, 100*time.Millisecond), 2) // a second since a was asked for, not since it was loaded
		check(t, c, "a", counting(&n, 0), 3)
	})
}

func TestNothingIsSharedWithoutTTL(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	for want, c := range []*pagecache.Cache[int64]{nil, {}, pagecache.New[int64](0, 2)} {
		check(t, c, "a", counting(&n, 0), int64(want)+1)
	}
}

// TestOneLoadForAll: the one who loads hangs up, the others get the value.
func TestOneLoadForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		c := pagecache.New[int64](time.Second, 2)
		load := counting(&n, 500*time.Millisecond)
		ctx, hangUp := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = c.Get(ctx, "a", load) })
		synctest.Wait()
		for range 20 {
			wg.Go(func() { check(t, c, "a", load, 1) })
		}
		synctest.Wait()
		hangUp()
		wg.Wait()
	})
}

// TestTheDeadlineIsKept: a load has the time of whoever asked first, no more.
func TestTheDeadlineIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := pagecache.New[int64](time.Minute, 2).Get(ctx, "a", counting(&n, time.Hour))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestErrorsAreNotStored(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	c := pagecache.New[int64](time.Hour, 2)
	failing := func(context.Context) (int64, error) { return 7, io.EOF }
	if _, err := c.Get(t.Context(), "a", failing); !errors.Is(err, io.EOF) {
		t.Errorf("error %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = c.Get(t.Context(), "a", func(context.Context) (int64, error) { panic("torn") })
	}()
	check(t, c, "a", counting(&n, 0), 1)
}

func TestEntriesAreBounded(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	c := pagecache.New[int64](time.Hour, 3)
	for i := range 100 {
		check(t, c, strconv.Itoa(i), counting(&n, 0), int64(i)+1)
		check(t, c, strconv.Itoa(i), counting(&n, 0), int64(i)+1) // the newest is stored
	}
	n.Store(0)
	for i := range 100 {
		_, _ = c.Get(t.Context(), strconv.Itoa(i), counting(&n, 0))
	}
	if n.Load() < 97 {
		t.Errorf("%d of 100 keys were loaded again, so more than 3 were stored", n.Load())
	}
}
