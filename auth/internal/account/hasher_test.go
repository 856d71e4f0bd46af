package account

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/shared/fault"
)

func TestHasherAdmitsWorkersAndQueueAndNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(4, 2, 3)
		release := make(chan struct{})
		var mu sync.Mutex // guards working and most
		var working, most int
		work := func() {
			mu.Lock()
			working++
			most = max(most, working)
			mu.Unlock()
			<-release
			mu.Lock()
			working--
			mu.Unlock()
		}
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if err := h.run(t.Context(), work); err != nil {
					t.Errorf("one of five: %v", err)
				}
			})
		}
		synctest.Wait() // two work and three wait
		var busy *fault.Error
		if err := h.run(t.Context(), work); !errors.As(err, &busy) || busy.Kind != fault.Unavailable || busy.RetryAfter != 2*time.Second {
			t.Errorf("the sixth got %v, want Unavailable with a time to try again", err)
		}
		close(release)
		wg.Wait()
		if most != 2 {
			t.Errorf("%d worked at once, want 2", most)
		}
		if err := h.run(t.Context(), func() {}); err != nil {
			t.Errorf("after the rush: %v", err)
		}
	})
}

func TestHasherStopsWaitingWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(4, 1, 1)
		release := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { _ = h.run(t.Context(), func() { <-release }) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := h.Matches(ctx, "", "paper crane")
		if fault.KindOf(err) != fault.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want Unavailable because of the deadline", err)
		}
		close(release)
		wg.Wait()
		if _, err := h.Matches(t.Context(), "", "paper crane"); err != nil {
			t.Errorf("its place in the queue is lost: %v", err)
		}
	})
}

func TestCommonestAreAllThatCouldPassTheLengthRule(t *testing.T) {
	t.Parallel()
	lines := strings.Fields(commonest)
	if len(lines) != 145 {
		t.Errorf("%d passwords, want 145", len(lines))
	}
	for _, p := range lines {
		if flaw := (Registration{Password: p}).passwordFlaw(); flaw != "must not be one of the 10,000 commonest passwords" {
			t.Errorf("%q: flaw %q", p, flaw)
		}
	}
	if flaw := (Registration{Username: "crane", Email: "a@b", Password: "\n"}).passwordFlaw(); flaw == "" {
		t.Error("a line end is a password")
	}
}
