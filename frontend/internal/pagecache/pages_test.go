package pagecache_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"craftista/frontend/internal/pagecache"
	"craftista/shared/web"
)

// counting is a page that says 1, 2, 3 … after a while.
func counting(n *atomic.Int64, while time.Duration) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if while > 0 {
			work, cancel := context.WithTimeout(r.Context(), while)
			defer cancel()
			<-work.Done()
		}
		_, _ = fmt.Fprint(w, n.Add(1))
		return r.Context().Err()
	}
}

// serve is the page that somebody gets.
func serve(ctx context.Context, p *pagecache.Pages, key string, h web.Handler) (string, error) {
	w := httptest.NewRecorder()
	err := p.Serve(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), key, h)
	return w.Body.String(), err
}

func check(t *testing.T, p *pagecache.Pages, key string, h web.Handler, want int) {
	t.Helper()
	if got, err := serve(t.Context(), p, key, h); err != nil || got != strconv.Itoa(want) {
		t.Errorf("%s: %q, %v; want %d", key, got, err, want)
	}
}

func TestPagesExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		p := pagecache.New(time.Second, 2)
		check(t, p, "a", counting(&n, 900*time.Millisecond), 1)
		check(t, p, "a", counting(&n, 0), 1)
		check(t, p, "b", counting(&n, 100*time.Millisecond), 2) // a second since a was asked for, not since it was made
		check(t, p, "a", counting(&n, 0), 3)
	})
}

func TestNothingIsSharedWithoutTTL(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	p := pagecache.New(0, 2)
	check(t, p, "a", counting(&n, 0), 1)
	check(t, p, "a", counting(&n, 0), 2)
}

// TestOneLoadForAll: the one who loads hangs up, the others get the page.
func TestOneLoadForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		p := pagecache.New(time.Second, 2)
		load := counting(&n, 500*time.Millisecond)
		ctx, hangUp := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = serve(ctx, p, "a", load) })
		synctest.Wait()
		for range 20 {
			wg.Go(func() { check(t, p, "a", load, 1) })
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
		_, err := serve(ctx, pagecache.New(time.Minute, 2), "a", counting(&n, time.Hour))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestWhatIsNotStored(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	p := pagecache.New(time.Hour, 2)
	failing := func(http.ResponseWriter, *http.Request) error { return io.EOF }
	if _, err := serve(t.Context(), p, "a", failing); !errors.Is(err, io.EOF) {
		t.Errorf("error %v", err)
	}
	personal := func(w http.ResponseWriter, _ *http.Request) error {
		http.SetCookie(w, &http.Cookie{Name: "mine", Value: "1"})
		return nil
	}
	if _, err := serve(t.Context(), p, "a", personal); err == nil {
		t.Error("a page with a cookie was sent")
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = serve(t.Context(), p, "a", func(http.ResponseWriter, *http.Request) error { panic("torn") })
	}()
	check(t, p, "a", counting(&n, 0), 1)
}

func TestEntriesAreBounded(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	p := pagecache.New(time.Hour, 3)
	for i := range 100 {
		check(t, p, strconv.Itoa(i), counting(&n, 0), i+1)
		check(t, p, strconv.Itoa(i), counting(&n, 0), i+1) // the newest is stored
	}
	n.Store(0)
	for i := range 100 {
		_, _ = serve(t.Context(), p, strconv.Itoa(i), counting(&n, 0))
	}
	if n.Load() < 97 {
		t.Errorf("%d of 100 keys were loaded again, so more than 3 were stored", n.Load())
	}
}
