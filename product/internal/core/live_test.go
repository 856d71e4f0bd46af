package core_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/fault"
)

func TestLiveSendsAllCountsThenChanges(t *testing.T) {
	t.Parallel()
	s := newCounts(3)
	s.set(2, 1)
	live(t, s, func(t *testing.T, b *core.CountBroadcaster, _ *bytes.Buffer) {
		all, unsubscribeAll := b.Subscribe([]int64{1, 2, 3, 4})
		check(t, "all at first", all, "1 has 0", "2 has 1", "3 has 0")
		some, unsubscribeSome := b.Subscribe([]int64{1, 3})
		pass(200 * time.Millisecond)
		check(t, "some at first", some, "1 has 0", "3 has 0")
		check(t, "no change", all)
		pass(500 * time.Millisecond)
		s.set(2, 2)
		b.Notify()
		check(t, "a change", all, "2 has 2")
		check(t, "a change of another product", some)
		s.set(3, 1)
		s.set(4, 7)
		pass(time.Second)
		check(t, "a change without Notify, and a new product", all, "3 has 1", "4 has 7")
		check(t, "a change without Notify", some, "3 has 1")
		s.change(func() { s.votes = map[int64]int64{1: 0, 2: 1, 3: 0} })
		pass(time.Second)
		check(t, "an older database", all, "2 has 1", "3 has 0")
		check(t, "an older database", some, "3 has 0")
		unsubscribeSome()
		s.set(3, 5)
		pass(time.Second)
		check(t, "after it left", some)
		check(t, "those who stay", all, "3 has 5")
		unsubscribeAll()
		unsubscribeAll() // does nothing
	})
}

// TestLiveReadsAgainForWhoComesDuringARead, whose counts may be older than what
// the listener has from elsewhere.
func TestLiveReadsAgainForWhoComesDuringARead(t *testing.T) {
	t.Parallel()
	s := newCounts(1)
	live(t, s, func(t *testing.T, b *core.CountBroadcaster, _ *bytes.Buffer) {
		hang := make(chan struct{})
		s.hangs = hang
		first, _ := b.Subscribe([]int64{1})
		synctest.Wait()
		second, _ := b.Subscribe([]int64{1})
		s.set(1, 9)
		close(hang)
		check(t, "the first", first, "1 has 0")
		check(t, "the second", second)
		pass(200 * time.Millisecond)
		check(t, "the first again", first, "1 has 9")
		check(t, "the second then", second, "1 has 9")
	})
}

func TestLiveReadsManyProductsInChunks(t *testing.T) {
	t.Parallel()
	s := newCounts(2500)
	live(t, s, func(t *testing.T, b *core.CountBroadcaster, _ *bytes.Buffer) {
		var ids []int64
		for id := range s.votes {
			ids = append(ids, id)
		}
		all, _ := b.Subscribe(ids)
		synctest.Wait()
		if got := len(<-all); got != 2500 || s.readsSoFar() != 3 {
			t.Errorf("%d counts in %d reads", got, s.readsSoFar())
		}
		s.set(2500, 1)
		pass(time.Second)
		check(t, "a change", all, "2500 has 1")
	})
}

func TestLiveAll(t *testing.T) {
	t.Parallel()
	for products, want := range map[int64]fault.Kind{0: fault.None, 1000: fault.None, 1001: fault.Invalid} {
		ids, err := core.NewCountBroadcaster(newCounts(products), nil).All(t.Context())
		if fault.KindOf(err) != want || err == nil && int64(len(ids)) != products {
			t.Errorf("of %d products: %d ids, %v", products, len(ids), err)
		}
	}
}

// TestLiveConflates: many changes of one product cost a few reads, and the last
// one is sent.
func TestLiveConflates(t *testing.T) {
	t.Parallel()
	s := newCounts(1)
	live(t, s, func(t *testing.T, b *core.CountBroadcaster, _ *bytes.Buffer) {
		counts, _ := b.Subscribe([]int64{1})
		for n := range int64(1000) {
			s.set(1, n+1)
			b.Notify()
			pass(time.Millisecond)
		}
		pass(time.Second)
		sent, last := len(counts), core.Count{}
		for len(counts) > 0 {
			last = (<-counts)[0]
		}
		if sent < 4 || sent > 7 || last.Votes != 1000 || s.readsSoFar() > 10 {
			t.Errorf("%d messages, the last with %d votes, of %d reads", sent, last.Votes, s.readsSoFar())
		}
	})
}

func TestLiveReadsNothingForNobody(t *testing.T) {
	t.Parallel()
	s := newCounts(1)
	live(t, s, func(t *testing.T, b *core.CountBroadcaster, _ *bytes.Buffer) {
		pass(time.Hour)
		if s.readsSoFar() != 0 {
			t.Errorf("%d reads before the first listener", s.readsSoFar())
		}
		counts, unsubscribe := b.Subscribe([]int64{1})
		pass(time.Second)
		check(t, "the first listener", counts, "1 has 0")
		unsubscribe()
		before := s.readsSoFar()
		b.Notify()
		pass(time.Hour)
		if s.readsSoFar() != before {
			t.Errorf("%d reads after the last listener", s.readsSoFar()-before)
		}
	})
}

// TestLiveWithoutItsStore: listeners wait for it, each time it fails is logged
// once, and one that never answers is given up.
func TestLiveWithoutItsStore(t *testing.T) {
	t.Parallel()
	s := newCounts(1)
	live(t, s, func(t *testing.T, b *core.CountBroadcaster, log *bytes.Buffer) {
		counts, _ := b.Subscribe([]int64{1})
		check(t, "at first", counts, "1 has 0")
		s.change(func() { s.err = io.ErrUnexpectedEOF })
		s.set(1, 1)
		pass(time.Minute)
		fresh, _ := b.Subscribe([]int64{1})
		pass(time.Minute)
		check(t, "an error", counts)
		check(t, "an error for a new listener", fresh)
		s.change(func() { s.err = nil })
		pass(time.Second)
		check(t, "after the error", counts, "1 has 1")
		check(t, "after the error for a new listener", fresh, "1 has 1")
		s.change(func() { s.hangs = make(chan struct{}) })
		pass(time.Second)
		s.change(func() { s.hangs, s.votes[1] = nil, 2 })
		pass(6 * time.Second)
		check(t, "after no answer", counts, "1 has 2")
		if lines := strings.Count(log.String(), "\n"); lines != 2 {
			t.Errorf("%d log lines for two failures:\n%s", lines, log)
		}
	})
}

func TestLiveDropsASlowListener(t *testing.T) {
	t.Parallel()
	s := newCounts(1)
	live(t, s, func(t *testing.T, b *core.CountBroadcaster, _ *bytes.Buffer) {
		slow, unsubscribe := b.Subscribe([]int64{1})
		quick, _ := b.Subscribe([]int64{1})
		check(t, "at first", quick, "1 has 0")
		for n := range int64(20) {
			s.set(1, n+1)
			pass(time.Second)
			check(t, "the quick one", quick, fmt.Sprintf("1 has %d", n+1))
		}
		for range 16 {
			<-slow
		}
		check(t, "the slow one", slow, "the end")
		unsubscribe() // does nothing
	})
}
