package core_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/fault"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// TestVotesAreBatchedWhileACommitIsUnderWay: all that vote the same way go
// together, in the order they came, which is also kept for each user.
func TestVotesAreBatchedWhileACommitIsUnderWay(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		votes string // of users 1 to 9; a minus takes back
		want  []string
	}{
		"alone":             {"1", []string{"vote 5 [1]"}},
		"together":          {"1 2 3 4", []string{"vote 5 [1]", "vote 5 [2 3 4]"}},
		"one user's clicks": {"1 1 1", []string{"vote 5 [1]", "vote 5 [1 1]"}},
		"both ways":         {"1 2 -3 4 -5", []string{"vote 5 [1]", "vote 5 [2 4]", "unvote 5 [3 5]"}},
		"changes of mind":   {"9 1 -1 1", []string{"vote 5 [9]", "vote 5 [1]", "unvote 5 [1]", "vote 5 [1]"}},
		"others do not wait": {"9 1 -1 1 2 -1 -3", []string{
			"vote 5 [9]", "vote 5 [1 2]", "unvote 5 [1 3]", "vote 5 [1]", "unvote 5 [1]",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			stepped(t, func(t *testing.T, s *steppedStore, c *core.Catalogue) {
				for vote := range strings.FieldsSeq(row.votes) {
					do := c.Vote
					if vote[0] == '-' {
						do = c.Unvote
					}
					submit(t.Context(), do, 5, int64(vote[len(vote)-1]-'0'))
				}
				if diff := cmp.Diff(s.commits(len(row.want)), row.want); diff != "" {
					t.Errorf("commits (-got +want):\n%s", diff)
				}
				synctest.Wait()
				if want := slices.Repeat([]int64{5}, len(row.want)); !slices.Equal(s.invalidated, want) {
					t.Errorf("invalidated %v, want %v: once for each commit", s.invalidated, want)
				}
			})
		})
	}
}

func TestEachIsToldTheOutcomeOfItsCommit(t *testing.T) {
	stepped(t, func(t *testing.T, s *steppedStore, c *core.Catalogue) {
		uncertain := fmt.Errorf("%w: %w", core.ErrUncertain, io.ErrUnexpectedEOF)
		var told []chan outcome
		for i := range 8 {
			do := []func(context.Context, int64, int64) (int64, error){c.Vote, c.Unvote}[i/2%2]
			told = append(told, submit(t.Context(), do, 5, int64(i)))
		}
		<-s.begun
		select {
		case got := <-told[0]:
			t.Fatalf("told %v before the commit", got)
		default:
		}
		s.end <- fails(io.EOF) // the lone first
		<-s.begun
		s.end <- ok(30) // 1, 4, 5
		<-s.begun
		s.end <- fails(uncertain) // 2, 3, 6, 7
		for i, want := range []error{
			io.EOF, nil, core.ErrUncertain, core.ErrUncertain, nil, nil, core.ErrUncertain, core.ErrUncertain,
		} {
			wantTold(t, told[i], map[bool]int64{true: 30}[want == nil], want)
		}
		if !slices.Equal(s.invalidated, []int64{5, 5}) {
			t.Errorf("invalidated %v, want the certain and the uncertain commit", s.invalidated)
		}
	})
}

// TestProductsDoNotWaitForEachOther: one whose commit takes long holds up no
// other.
func TestProductsDoNotWaitForEachOther(t *testing.T) {
	stepped(t, func(t *testing.T, s *steppedStore, c *core.Catalogue) {
		stuck := submit(t.Context(), c.Vote, 5, 1)
		<-s.begun
		waiting := submit(t.Context(), c.Vote, 5, 2)
		other := submit(t.Context(), c.Vote, 6, 2)
		if got := <-s.begun; got != "vote 6 [2]" {
			t.Errorf("committed %s", got)
		}
		s.end <- ok(60)
		// Either commit may take the end; both have the same count.
		s.end <- ok(60)
		<-s.begun
		s.end <- ok(60)
		wantTold(t, other, 60, nil)
		wantTold(t, stuck, 60, nil)
		wantTold(t, waiting, 60, nil)
	})
}

// TestBatchSpansAreLinked: the span that the commit is part of, and those of the
// other votes of the batch.
func TestBatchSpansAreLinked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, spans := newSteppedStore(), tracetest.NewSpanRecorder()
		c := s.catalogue(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer(""))
		for userID := range int64(4) {
			submit(t.Context(), c.Vote, 5, userID)
		}
		s.commits(2)
		synctest.Wait()
		number := map[trace.SpanID]int{} // in the order they started
		for i, span := range spans.Started() {
			number[span.SpanContext().SpanID()] = i
		}
		links := make([][]int, 4)
		for i, span := range spans.Started() {
			for _, link := range span.Links() {
				links[i] = append(links[i], number[link.SpanContext.SpanID()])
			}
		}
		ended := len(spans.Ended())
		if diff := cmp.Diff(links, [][]int{nil, {2, 3}, {1}, {1}}); diff != "" || ended != 4 {
			t.Errorf("%d of 4 spans ended, links (-got +want):\n%s", ended, diff)
		}
	})
}

// TestCancelledContext withdraws a vote that waits. One that is being committed is
// recorded, and the other votes of the batch too.
func TestCancelledContext(t *testing.T) {
	stepped(t, func(t *testing.T, s *steppedStore, c *core.Catalogue) {
		committing, cancelCommitting := context.WithCancel(t.Context())
		waiting, cancelWaiting := context.WithCancel(t.Context())
		first := submit(committing, c.Vote, 5, 1)
		<-s.begun
		second := submit(waiting, c.Vote, 5, 2)
		third := submit(t.Context(), c.Vote, 5, 3)
		fourth := submit(committing, c.Vote, 5, 4)
		cancelWaiting()
		wantTold(t, second, 0, context.Canceled)
		s.end <- ok(1)
		wantTold(t, first, 1, nil)
		if got := <-s.begun; got != "vote 5 [3 4]" {
			t.Errorf("committed %s", got)
		}
		cancelCommitting() // the fourth is being committed
		synctest.Wait()
		s.end <- ok(3)
		wantTold(t, third, 3, nil)
		wantTold(t, fourth, 3, nil)
	})
}

// TestCommitOutlivesItsCaller: a cancelled request does not cancel the commit, which
// has a deadline of its own.
func TestCommitOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{}
		c := core.NewCatalogue(s, core.NoCache{}, nil, untraced, func() {})
		ctx, cancel := context.WithCancel(t.Context())
		first := submit(ctx, c.Vote, 5, 1)
		second := submit(t.Context(), c.Vote, 5, 2)
		start := time.Now()
		cancel()
		wantTold(t, first, 0, context.DeadlineExceeded)
		wantTold(t, second, 0, context.DeadlineExceeded)
		if took := time.Since(start); took != 8*time.Second {
			t.Errorf("two commits were given up after %v", took)
		}
	})
}

func TestPanicIsAnError(t *testing.T) {
	stepped(t, func(t *testing.T, s *steppedStore, c *core.Catalogue) {
		first := submit(t.Context(), c.Vote, 5, 1)
		<-s.begun
		waiting := submit(t.Context(), c.Vote, 5, 2)
		s.end <- func() (int64, error) { panic("a bug") }
		if got := <-first; fault.KindOf(got.err) != fault.Internal || !strings.Contains(got.err.Error(), "a bug") {
			t.Errorf("told %v", got)
		}
		<-s.begun
		s.end <- ok(1)
		wantTold(t, waiting, 1, nil)
	})
}

// TestQueueIsBounded: a commit takes some at most, and who finds too many waiting
// is turned away.
func TestQueueIsBounded(t *testing.T) {
	stepped(t, func(t *testing.T, s *steppedStore, c *core.Catalogue) {
		first := submit(t.Context(), c.Vote, 5, 1)
		<-s.begun
		told := make(chan outcome, 4096)
		for userID := range int64(4096) {
			go func() {
				n, err := c.Vote(t.Context(), 5, userID)
				told <- outcome{n, err}
			}()
		}
		synctest.Wait()
		_, err := c.Vote(t.Context(), 5, 9999)
		var full *fault.Error
		if !errors.As(err, &full) || full.Kind != fault.Unavailable || full.RetryAfter == 0 {
			t.Errorf("one too many is told %v", err)
		}
		s.end <- ok(1)
		wantTold(t, first, 1, nil)
		for range 4096 / 512 {
			if got := len(strings.Fields(<-s.begun)) - 2; got != 512 {
				t.Errorf("%d votes in a commit, want 512", got)
			}
			s.end <- ok(7)
		}
		for range 4096 {
			wantTold(t, told, 7, nil)
		}
	})
}
