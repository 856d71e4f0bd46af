package core_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/product/internal/core"
)

// shelf is a store where each change is visible at once.
type shelf struct {
	mu    sync.Mutex // guards the rest
	all   map[int64]core.Tally
	next  uint64
	looks int
	err   error
}

func newShelf(pieces int64) *shelf {
	s := &shelf{all: map[int64]core.Tally{}, next: 10}
	for id := range pieces {
		s.all[id+1] = core.Tally{ID: id + 1, Change: 1}
	}
	return s
}

func (s *shelf) Changed(_ context.Context, after core.Moment, last core.Tally, limit int) ([]core.Tally, core.Moment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	var found []core.Tally
	for _, t := range s.all {
		if !after.Saw(t.Change) && order(t, last) > 0 {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, order)
	return found[:min(limit, len(found))], core.Since(s.next), s.err
}

func (s *shelf) ChangedOf(ctx context.Context, after core.Moment, ids []int64) ([]core.Tally, core.Moment, error) {
	all, now, err := s.Changed(ctx, after, core.Tally{}, math.MaxInt)
	return slices.DeleteFunc(all, func(t core.Tally) bool { return !slices.Contains(ids, t.ID) }), now, err
}

func order(a, b core.Tally) int {
	return cmp.Or(cmp.Compare(a.Change, b.Change), cmp.Compare(a.ID, b.ID))
}

func (s *shelf) vote(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[id] = core.Tally{ID: id, Votes: s.all[id].Votes + 1, Change: s.next}
	s.next++
}

func (s *shelf) breaks(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *shelf) looked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looks
}

// live runs a Live over the shelf in a bubble whose clock jumps. Its log is to be
// read when all is still.
func live(t *testing.T, s *shelf, test func(t *testing.T, l *core.Live, log *bytes.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l := core.NewLive(s, func(c core.Tally, position uint64) []byte {
			return fmt.Appendf(nil, "%d@%d has %d\n", c.ID, position, c.Votes)
		}, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go l.Run(ctx)
		test(t, l, &log)
	})
}

// ear is a listener: what it heard, and how its stream ended.
type ear struct {
	mu   sync.Mutex // guards text
	text strings.Builder
	err  chan error
	stop context.CancelFunc
}

func listen(t *testing.T, l *core.Live, position uint64, ids ...int64) *ear {
	t.Helper()
	e := &ear{err: make(chan error, 1)}
	ctx, stop := context.WithCancel(t.Context())
	e.stop = stop
	go func() {
		e.err <- l.Tell(ctx, position, ids, func(text []byte) error {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.text.Write(text)
			return nil
		})
	}()
	synctest.Wait()
	return e
}

// heard is what came since the last time, once nothing more is to come before
// the clock moves.
func (e *ear) heard() string {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	defer e.text.Reset()
	return e.text.String()
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// pass lets time pass in a bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
