package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/fault"
)

// TestHangingUp: who waits has not voted; who leads, or is being committed, sees
// it through, and nobody else notices.
func TestHangingUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUrn()
		c := u.catalogue(untraced{})
		leading, hangUpLeading := context.WithCancel(t.Context())
		waiting, hangUpWaiting := context.WithCancel(t.Context())
		first := votes(leading, c.Vote, 1, 5)
		<-u.begun
		second := votes(waiting, c.Vote, 2, 5)
		third := votes(t.Context(), c.Vote, 3, 5)
		fourth := votes(leading, c.Vote, 4, 5)
		hangUpWaiting()
		wantTold(t, second, 0, context.Canceled)
		u.end <- ok(1)
		wantTold(t, first, 1, nil)
		if got := <-u.begun; got != "vote 5 [3 4]" {
			t.Errorf("committed %s", got)
		}
		hangUpLeading() // the fourth is being committed
		synctest.Wait()
		u.end <- ok(3)
		wantTold(t, third, 3, nil)
		wantTold(t, fourth, 3, nil)
	})
}

// TestCommitOutlivesItsLeader: the store is not told that the leader hung up, and
// has a deadline all the same.
func TestCommitOutlivesItsLeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{}
		c := core.NewCatalogue(s, core.NoCache{}, nil, untraced{}, func() {})
		ctx, hangUp := context.WithCancel(t.Context())
		first := votes(ctx, c.Vote, 1, 5)
		second := votes(t.Context(), c.Vote, 2, 5)
		start := time.Now()
		hangUp()
		wantTold(t, first, 0, context.DeadlineExceeded)
		wantTold(t, second, 0, context.DeadlineExceeded)
		if took := time.Since(start); took != 8*time.Second {
			t.Errorf("two commits were given up after %v", took)
		}
	})
}

// slow is a store that answers when it is told to give up, in words of its own.
type slow struct{ core.Store }

func (slow) Vote(ctx context.Context, _ int64, _ []int64) (int64, error) {
	<-ctx.Done()
	return 0, errors.New("canceling statement due to user request")
}

func TestPanicHurtsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUrn()
		c := u.catalogue(untraced{})
		first := votes(t.Context(), c.Vote, 1, 5)
		<-u.begun
		panics := func(ctx context.Context, person, id int64) (_ int64, err error) {
			defer func() { err = fmt.Errorf("recovered: %v", recover()) }()
			return c.Vote(ctx, person, id)
		}
		leader := votes(t.Context(), panics, 2, 5)
		follower := votes(t.Context(), c.Vote, 3, 5)
		contrary := votes(t.Context(), c.Unvote, 4, 5)
		u.end <- ok(1)
		wantTold(t, first, 1, nil)
		<-u.begun
		u.end <- func() (int64, error) { panic("torn paper") }
		if got := <-leader; got.err == nil || got.err.Error() != "recovered: torn paper" {
			t.Errorf("the leader is told %v", got)
		}
		if got := <-follower; got.err == nil || fault.KindOf(got.err) != fault.Internal {
			t.Errorf("the follower is told %v", got)
		}
		<-u.begun
		u.end <- ok(1)
		wantTold(t, contrary, 1, nil)
	})
}

// TestQueueIsBounded: a commit takes some at most, and who finds too many waiting
// is turned away.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUrn()
		c := u.catalogue(untraced{})
		first := votes(t.Context(), c.Vote, 1, 5)
		<-u.begun
		told := make(chan outcome, 4096)
		for person := range int64(4096) {
			go func() {
				n, err := c.Vote(t.Context(), person, 5)
				told <- outcome{n, err}
			}()
		}
		synctest.Wait()
		_, err := c.Vote(t.Context(), 9999, 5)
		var full *fault.Error
		if !errors.As(err, &full) || full.Kind != fault.Unavailable || full.RetryAfter == 0 {
			t.Errorf("one too many is told %v", err)
		}
		u.end <- ok(1)
		wantTold(t, first, 1, nil)
		for range 4096 / 512 {
			if got := len(strings.Fields(<-u.begun)) - 2; got != 512 {
				t.Errorf("%d votes in a commit, want 512", got)
			}
			u.end <- ok(7)
		}
		for range 4096 {
			wantTold(t, told, 7, nil)
		}
	})
}
