package cache

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memoryStore is a store in memory, shared by replicas, that takes its time.
type memoryStore struct {
	mu         sync.Mutex // guards all
	generation int64
	until      time.Time     // when the fence ends
	takes      time.Duration // for each call
	err        error
	reads      int
	fences     int
}

func (s *memoryStore) read(context.Context) (int64, bool, error) {
	s.mu.Lock()
	s.reads++
	generation, fenced, err, takes := s.generation, time.Now().Before(s.until), s.err, s.takes
	s.mu.Unlock()
	pass(takes)
	return generation, fenced, err
}

func (s *memoryStore) fence(_ context.Context, duration time.Duration) error {
	s.mu.Lock()
	if s.err == nil {
		s.fences++
		s.generation++
		s.until = time.Now().Add(duration)
	}
	err, takes := s.err, s.takes
	s.mu.Unlock()
	pass(takes)
	return err
}

func (s *memoryStore) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// pass lets time pass by the clock of synctest.
func pass(d time.Duration) { <-time.After(d) }

func generationCacheOf(t *testing.T, s store) *generationCache {
	t.Helper()
	c := newGenerationCache(s, DefaultFenceDuration, slog.New(slog.DiscardHandler))
	t.Cleanup(c.wait)
	return c
}

func wantCurrent(t *testing.T, c *generationCache, generation int64, ok bool) {
	t.Helper()
	start := time.Now()
	got, gotOK := c.current(t.Context())
	if gotOK != ok || ok && got != generation {
		t.Errorf("generation %d, %v; want %d, %v (waited %v)", got, gotOK, generation, ok, time.Since(start))
	}
}

// TestFenceReachesEveryReplica: it takes the time for which an old snapshot may
// be used, whatever the other replica read and when.
func TestFenceReachesEveryReplica(t *testing.T) {
	t.Parallel()
	for _, offset := range []time.Duration{0, 50e6, 99e6, 100e6, 250e6, 400e6, 499e6, 500e6, 501e6, 2e9} {
		synctest.Test(t, func(t *testing.T) {
			s := &memoryStore{generation: 7, takes: time.Millisecond}
			caller, reader := generationCacheOf(t, s), generationCacheOf(t, s)
			wantCurrent(t, reader, 7, true)
			pass(offset)
			start := time.Now()
			if err := caller.fence(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took < 500*time.Millisecond || took > 700*time.Millisecond {
				t.Errorf("the fence took %v", took)
			}
			wantCurrent(t, reader, 0, false)
			wantCurrent(t, caller, 0, false)
			pass(4 * time.Second)
			wantCurrent(t, reader, 8, true)
		})
	}
}

// TestStandingFenceIsFree and is renewed for as long as somebody needs it, so
// that readers use nothing meanwhile. Then it ends.
func TestStandingFenceIsFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &memoryStore{takes: time.Millisecond}
		caller, reader := generationCacheOf(t, s), generationCacheOf(t, s)
		var wg sync.WaitGroup
		for range 50 { // at once, they share one
			wg.Go(func() {
				if err := caller.fence(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if s.fences != 1 {
			t.Errorf("%d fences for 50 callers at once", s.fences)
		}
		for range 1000 {
			start := time.Now()
			if err := caller.fence(t.Context()); err != nil || time.Since(start) != 0 {
				t.Fatalf("waited %v, %v", time.Since(start), err)
			}
			wantCurrent(t, reader, 0, false)
			pass(20 * time.Millisecond)
		}
		if s.fences < 8 || s.fences > 15 {
			t.Errorf("%d fences in 20 s", s.fences)
		}
		pass(3 * time.Second)
		wantCurrent(t, reader, int64(s.fences), true)
		start := time.Now()
		if err := caller.fence(t.Context()); err != nil || time.Since(start) < 500*time.Millisecond {
			t.Errorf("waited %v for a fence after the last ended, %v", time.Since(start), err)
		}
	})
}

// TestSlowFence: what it took to set a fence counts against its length, so one
// that took too long is none.
func TestSlowFence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &memoryStore{takes: 4 * time.Second}
		caller := generationCacheOf(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := caller.fence(ctx); err == nil {
			t.Error("it stands, though it ended before it took effect")
		}
		s.set(func() { s.takes = 0 })
		if err := caller.fence(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestFenceThatCannotBeSet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &memoryStore{err: io.EOF}
		caller := generationCacheOf(t, s)
		if err := caller.fence(t.Context()); err != io.EOF { //nolint:errorlint // this very one
			t.Errorf("error %v", err)
		}
		s.set(func() { s.err = nil })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := caller.fence(ctx); err == nil {
			t.Error("a cancelled call waits")
		}
		pass(time.Second)
		start := time.Now()
		if err := caller.fence(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("waited %v, %v; it was set for the cancelled call", time.Since(start), err)
		}
	})
}

// TestGenerationCacheByStoreState: unavailable, unreadable or slow.
func TestGenerationCacheByStoreState(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		err         error
		before, now bool // the cache is enabled
	}{
		{"unavailable", fmt.Errorf("dial: %w", errUnavailable), true, true},
		{"unavailable from the start", fmt.Errorf("dial: %w", errUnavailable), false, false},
		{"unreadable", io.EOF, true, false},
		{"unreadable from the start", io.EOF, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &memoryStore{generation: 3}
				reader := generationCacheOf(t, s)
				if row.before {
					wantCurrent(t, reader, 3, true)
				}
				s.set(func() { s.err, s.takes = row.err, time.Second })
				for range 5 {
					pass(2 * time.Second)
					wantCurrent(t, reader, 3, row.now)
				}
				s.set(func() { s.err, s.takes, s.generation = nil, 0, 4 })
				_, _ = reader.current(t.Context()) // which asks
				pass(time.Second)
				wantCurrent(t, reader, 4, true)
			})
		})
	}
}

func TestWithoutReadersNothingIsAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &memoryStore{}
		reader := generationCacheOf(t, s)
		pass(time.Hour)
		if s.reads != 0 {
			t.Errorf("%d reads for nobody", s.reads)
		}
		for range 1000 {
			wantCurrent(t, reader, 0, true)
			pass(time.Millisecond)
		}
		if s.reads < 9 || s.reads > 11 {
			t.Errorf("%d reads in a second", s.reads)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		pass(time.Hour)
		s.set(func() { s.takes = time.Second })
		if _, ok := reader.current(ctx); ok {
			t.Error("enabled without an answer")
		}
	})
}
