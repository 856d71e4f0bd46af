package account

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/shared/fault"

	"golang.org/x/crypto/bcrypt"
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
		err := h.run(t.Context(), work)
		if !errors.As(err, &busy) || busy.Kind != fault.Unavailable || busy.RetryAfter != 2*time.Second {
			t.Errorf("the sixth got %v, want Unavailable with a time to try again", err)
		}
		close(release)
		wg.Wait()
		if most != 2 {
			t.Errorf("%d worked at once, want 2", most)
		}
		if err := h.run(t.Context(), func() {}); err != nil {
			t.Errorf("after that: %v", err)
		}
	})
}

// TestDummyCostsAsMuchAsAHash: bcrypt says that a password is wrong only after all of the work.
func TestDummyCostsAsMuchAsAHash(t *testing.T) {
	t.Parallel()
	dummy := []byte(NewHasher(5, 1, 1).dummy)
	err := bcrypt.CompareHashAndPassword(dummy, []byte("paper crane"))
	if !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		t.Errorf("compared with the dummy: %v", err)
	}
	if cost, err := bcrypt.Cost(dummy); cost != 5 || err != nil {
		t.Errorf("cost %d, error %v; want 5", cost, err)
	}
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
			t.Errorf("its place in the queue is not free: %v", err)
		}
	})
}
