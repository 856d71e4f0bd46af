package core_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/product/internal/core"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// untraced makes no spans.
var untraced = noop.NewTracerProvider().Tracer("")

// steppedStore is a store each of whose commits begins when the test takes it from
// begun and ends as the test says in end. It is the cache too.
type steppedStore struct {
	core.Store
	core.NoCache
	begun chan string
	end   chan func() (int64, error)

	mu          sync.Mutex // guards invalidated
	invalidated []int64
}

// stepped runs a test in a bubble whose clock jumps.
func stepped(t *testing.T, test func(t *testing.T, s *steppedStore, c *core.Catalogue)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSteppedStore()
		test(t, s, s.catalogue(untraced))
	})
}

func newSteppedStore() *steppedStore {
	return &steppedStore{begun: make(chan string), end: make(chan func() (int64, error))}
}

func (s *steppedStore) Vote(_ context.Context, productID int64, userIDs []int64) (int64, error) {
	return s.commit("vote", productID, userIDs)
}

func (s *steppedStore) Unvote(_ context.Context, productID int64, userIDs []int64) (int64, error) {
	return s.commit("unvote", productID, userIDs)
}

func (s *steppedStore) commit(what string, productID int64, userIDs []int64) (int64, error) {
	s.begun <- fmt.Sprint(what, " ", productID, " ", userIDs)
	return (<-s.end)()
}

func (s *steppedStore) Invalidate(_ context.Context, ids ...int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.invalidated = append(s.invalidated, ids...)
	return nil
}

func (s *steppedStore) catalogue(tracer trace.Tracer) *core.Catalogue {
	return core.NewCatalogue(s, s, nil, tracer, func() {})
}

func ok(votes int64) func() (int64, error) { return func() (int64, error) { return votes, nil } }

func fails(err error) func() (int64, error) { return func() (int64, error) { return 0, err } }

// outcome is what one voter is told.
type outcome struct {
	votes int64
	err   error
}

// submit votes in a goroutine, waits until it waits, and returns where the outcome
// will be.
func submit(
	ctx context.Context, do func(ctx context.Context, productID, userID int64) (int64, error), productID, userID int64,
) chan outcome {
	told := make(chan outcome, 1)
	go func() {
		n, err := do(ctx, productID, userID)
		told <- outcome{n, err}
	}()
	synctest.Wait()
	return told
}

func wantTold(t *testing.T, told chan outcome, want int64, wantErr error) {
	t.Helper()
	if got := <-told; got.votes != want || !errors.Is(got.err, wantErr) {
		t.Errorf("told %d, %v; want %d, %v", got.votes, got.err, want, wantErr)
	}
}

// commits ends the commits that begin, one after the other, with the counts 1,
// 2, …, until n have, and returns what they were.
func (s *steppedStore) commits(n int) (all []string) {
	for i := range n {
		all = append(all, <-s.begun)
		s.end <- ok(int64(i + 1))
	}
	return all
}

// slowStore answers when it is told to give up, in words of its own.
type slowStore struct{ core.Store }

func (slowStore) Vote(ctx context.Context, _ int64, _ []int64) (int64, error) {
	<-ctx.Done()
	return 0, errors.New("canceling statement due to user request")
}

// counts is a core.CountReader in memory.
type counts struct {
	mu    sync.Mutex // guards the rest
	votes map[int64]int64
	reads int
	err   error
	hangs chan struct{} // if set, reads wait for it after they have read
}

func newCounts(products int64) *counts {
	s := &counts{votes: map[int64]int64{}}
	for id := range products {
		s.votes[id+1] = 0
	}
	return s
}

func (s *counts) Counts(ctx context.Context, ids []int64) ([]core.Count, error) {
	s.mu.Lock()
	s.reads++
	var found []core.Count
	for _, id := range ids {
		if votes, ok := s.votes[id]; ok {
			found = append(found, core.Count{ID: id, Votes: votes})
		}
	}
	err, hangs := s.err, s.hangs
	s.mu.Unlock()
	if len(ids) > 1000 {
		return nil, errors.New("too many ids in one query")
	}
	if hangs != nil {
		select {
		case <-hangs:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return found, err
}

func (s *counts) IDs(_ context.Context, limit int) ([]int64, error) {
	ids := make([]int64, min(limit, len(s.votes)))
	for i := range ids {
		ids[i] = int64(i) + 1
	}
	return ids, s.err
}

func (s *counts) set(id, votes int64) {
	s.change(func() { s.votes[id] = votes })
}

func (s *counts) change(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *counts) readsSoFar() (n int) {
	s.change(func() { n = s.reads })
	return n
}

// live runs a CountBroadcaster over the store in a bubble whose clock jumps. Its log
// may be read when all goroutines wait.
func live(t *testing.T, s *counts, test func(t *testing.T, b *core.CountBroadcaster, log *bytes.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := core.NewCountBroadcaster(s, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go b.Run(ctx)
		test(t, b, &log)
	})
}

// pass lets time pass in the bubble.
func pass(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	<-ctx.Done()
	synctest.Wait()
}

// check compares what came over the channel until now: "id has votes" each.
func check(t *testing.T, when string, from <-chan []core.Count, want ...string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for {
		select {
		case some, ok := <-from:
			if !ok {
				got = append(got, "the end")
				from = nil
			}
			for _, c := range some {
				got = append(got, fmt.Sprintf("%d has %d", c.ID, c.Votes))
			}
			continue
		default:
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %q, want %q", when, got, want)
		}
		return
	}
}
