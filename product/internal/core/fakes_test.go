package core_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

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

func (s *steppedStore) Vote(_ context.Context, id int64, people []int64) (int64, error) {
	return s.commit("vote", id, people)
}

func (s *steppedStore) Unvote(_ context.Context, id int64, people []int64) (int64, error) {
	return s.commit("unvote", id, people)
}

func (s *steppedStore) commit(what string, id int64, people []int64) (int64, error) {
	s.begun <- fmt.Sprint(what, " ", id, " ", people)
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
	ctx context.Context, do func(ctx context.Context, person, id int64) (int64, error), person, id int64,
) chan outcome {
	told := make(chan outcome, 1)
	go func() {
		n, err := do(ctx, person, id)
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
