package core_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"craftista/product/internal/core"

	"github.com/google/go-cmp/cmp"
)

// untraced is a core.Tracer that makes nothing.
type untraced struct{}

func (untraced) Start(ctx context.Context, _ string) (context.Context, core.Span) {
	return ctx, untraced{}
}
func (untraced) Link(core.Span) {}
func (untraced) End()           {}

// urn is a store each of whose commits begins when the test takes it from begun
// and ends as the test says in end.
type urn struct {
	core.Store
	core.NoCache
	begun chan string
	end   chan func() (int64, error)

	mu        sync.Mutex // guards forgotten
	forgotten []int64
}

func newUrn() *urn { return &urn{begun: make(chan string), end: make(chan func() (int64, error))} }

func (u *urn) Vote(_ context.Context, id int64, people []int64) (int64, error) {
	return u.commit("vote", id, people)
}

func (u *urn) Unvote(_ context.Context, id int64, people []int64) (int64, error) {
	return u.commit("unvote", id, people)
}

func (u *urn) commit(what string, id int64, people []int64) (int64, error) {
	u.begun <- fmt.Sprint(what, " ", id, " ", people)
	return (<-u.end)()
}

func (u *urn) Forget(_ context.Context, ids ...int64) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.forgotten = append(u.forgotten, ids...)
	return nil
}

func (u *urn) catalogue(tracer core.Tracer) *core.Catalogue {
	return core.NewCatalogue(u, u, nil, tracer, func() {})
}

func ok(votes int64) func() (int64, error) { return func() (int64, error) { return votes, nil } }

func fails(err error) func() (int64, error) { return func() (int64, error) { return 0, err } }

// outcome is what one voter is told.
type outcome struct {
	votes int64
	err   error
}

// votes casts in a goroutine, waits until it waits, and returns where the outcome
// will be.
func votes(ctx context.Context, do func(ctx context.Context, person, id int64) (int64, error), person, id int64) chan outcome {
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
func (u *urn) commits(n int) (all []string) {
	for i := range n {
		all = append(all, <-u.begun)
		u.end <- ok(int64(i + 1))
	}
	return all
}

// TestVotesAreGatheredWhileACommitIsUnderWay: all who wish the same go together,
// in the order they came; a person's wishes come true in that order.
func TestVotesAreGatheredWhileACommitIsUnderWay(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		wishes string // of people 1 to 9; a minus takes back
		want   []string
	}{
		"alone":               {"1", []string{"vote 5 [1]"}},
		"together":            {"1 2 3 4", []string{"vote 5 [1]", "vote 5 [2 3 4]"}},
		"one person's clicks": {"1 1 1", []string{"vote 5 [1]", "vote 5 [1 1]"}},
		"both wishes":         {"1 2 -3 4 -5", []string{"vote 5 [1]", "vote 5 [2 4]", "unvote 5 [3 5]"}},
		"changes of mind":     {"9 1 -1 1", []string{"vote 5 [9]", "vote 5 [1]", "unvote 5 [1]", "vote 5 [1]"}},
		"others do not wait":  {"9 1 -1 1 2 -1 -3", []string{"vote 5 [9]", "vote 5 [1 2]", "unvote 5 [1 3]", "vote 5 [1]", "unvote 5 [1]"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				u := newUrn()
				c := u.catalogue(untraced{})
				for wish := range strings.FieldsSeq(row.wishes) {
					do := c.Vote
					if wish[0] == '-' {
						do = c.Unvote
					}
					votes(t.Context(), do, int64(wish[len(wish)-1]-'0'), 5)
				}
				if diff := cmp.Diff(u.commits(len(row.want)), row.want); diff != "" {
					t.Errorf("commits (-got +want):\n%s", diff)
				}
				synctest.Wait()
				if want := slices.Repeat([]int64{5}, len(row.want)); !slices.Equal(u.forgotten, want) {
					t.Errorf("forgotten %v, want %v: once for each commit", u.forgotten, want)
				}
			})
		})
	}
}

func TestEachIsToldTheOutcomeOfItsCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUrn()
		c := u.catalogue(untraced{})
		uncertain := fmt.Errorf("%w: %w", core.ErrUncertain, io.ErrUnexpectedEOF)
		var told []chan outcome
		for i := range 8 {
			do := []func(context.Context, int64, int64) (int64, error){c.Vote, c.Unvote}[i/2%2]
			told = append(told, votes(t.Context(), do, int64(i), 5))
		}
		<-u.begun
		select {
		case got := <-told[0]:
			t.Fatalf("told %v before the commit", got)
		default:
		}
		u.end <- fails(io.EOF) // the lone first
		<-u.begun
		u.end <- ok(30) // 1, 4, 5
		<-u.begun
		u.end <- fails(uncertain) // 2, 3, 6, 7
		for i, want := range []error{io.EOF, nil, core.ErrUncertain, core.ErrUncertain, nil, nil, core.ErrUncertain, core.ErrUncertain} {
			wantTold(t, told[i], map[bool]int64{true: 30}[want == nil], want)
		}
		if !slices.Equal(u.forgotten, []int64{5, 5}) {
			t.Errorf("forgotten %v, want the certain and the uncertain commit", u.forgotten)
		}
	})
}

// TestPiecesDoNotWaitForEachOther: one that is stuck leaves the others alone.
func TestPiecesDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUrn()
		c := u.catalogue(untraced{})
		stuck := votes(t.Context(), c.Vote, 1, 5)
		<-u.begun
		waiting := votes(t.Context(), c.Vote, 2, 5)
		other := votes(t.Context(), c.Vote, 2, 6)
		if got := <-u.begun; got != "vote 6 [2]" {
			t.Errorf("committed %s", got)
		}
		u.end <- ok(60)
		// Either commit may take the end; both have the same count.
		u.end <- ok(60)
		<-u.begun
		u.end <- ok(60)
		wantTold(t, other, 60, nil)
		wantTold(t, stuck, 60, nil)
		wantTold(t, waiting, 60, nil)
	})
}

// spans is a core.Tracer that notes which spans point at which.
type spans struct {
	mu    sync.Mutex // guards the rest
	made  int
	links [][2]int
	ended int
}

type span struct {
	all *spans
	n   int
}

func (s *spans) Start(ctx context.Context, _ string) (context.Context, core.Span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	return ctx, span{s, s.made}
}

func (s span) Link(other core.Span) {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	s.all.links = append(s.all.links, [2]int{s.n, other.(span).n})
}

func (s span) End() {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	s.all.ended++
}

// TestTracesOfACommitPointAtEachOther: those of the leader, in which the commit
// is, and of each who waited for it.
func TestTracesOfACommitPointAtEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u, traced := newUrn(), &spans{}
		c := u.catalogue(traced)
		for person := range int64(4) {
			votes(t.Context(), c.Vote, person, 5)
		}
		u.commits(2)
		synctest.Wait()
		if diff := cmp.Diff(traced.links, [][2]int{{3, 2}, {2, 3}, {4, 2}, {2, 4}}); diff != "" || traced.ended != 4 {
			t.Errorf("%d of 4 spans ended, links (-got +want):\n%s", traced.ended, diff)
		}
	})
}
