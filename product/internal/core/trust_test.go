package core_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/product/internal/core"
)

// board is a register in memory, shared by replicas, that takes its time.
type board struct {
	mu     sync.Mutex // guards all
	epoch  int64
	until  time.Time
	takes  time.Duration // for each question
	err    error
	reads  int
	vetoes int
}

func (b *board) Read(context.Context) (int64, bool, error) {
	b.mu.Lock()
	b.reads++
	epoch, vetoed, err, takes := b.epoch, time.Now().Before(b.until), b.err, b.takes
	b.mu.Unlock()
	pause(takes)
	return epoch, vetoed, err
}

func (b *board) Veto(_ context.Context, term time.Duration) error {
	b.mu.Lock()
	if b.err == nil {
		b.vetoes++
		b.epoch++
		b.until = time.Now().Add(term)
	}
	err, takes := b.err, b.takes
	b.mu.Unlock()
	pause(takes)
	return err
}

func (b *board) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func pause(d time.Duration) { <-time.After(d) } // by the clock of synctest

func newTrust(t *testing.T, b *board) *core.Trust {
	t.Helper()
	trust := core.NewTrust(b, core.VetoTerm, slog.New(slog.DiscardHandler))
	t.Cleanup(trust.Close)
	return trust
}

func believes(t *testing.T, trust *core.Trust, epoch int64, ok bool) {
	t.Helper()
	start := time.Now()
	gotEpoch, gotOK := trust.Epoch(t.Context())
	if gotOK != ok || ok && gotEpoch != epoch {
		t.Errorf("epoch %d, %v; want %d, %v (waited %v)", gotEpoch, gotOK, epoch, ok, time.Since(start))
	}
}

// TestVetoReachesEveryReplica: it takes the time for which an old answer may be
// believed, whatever the other replica asked and when.
func TestVetoReachesEveryReplica(t *testing.T) {
	t.Parallel()
	for _, offset := range []time.Duration{0, 50e6, 99e6, 100e6, 250e6, 400e6, 499e6, 500e6, 501e6, 2e9} {
		synctest.Test(t, func(t *testing.T) {
			b := &board{epoch: 7, takes: time.Millisecond}
			voter, reader := newTrust(t, b), newTrust(t, b)
			believes(t, reader, 7, true)
			pass(offset)
			start := time.Now()
			if err := voter.Veto(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took < 500*time.Millisecond || took > 700*time.Millisecond {
				t.Errorf("the veto took %v", took)
			}
			believes(t, reader, 0, false)
			believes(t, voter, 0, false)
			pass(4 * time.Second)
			believes(t, reader, 8, true)
		})
	}
}

// TestVetoInForceIsFree and is renewed for as long as somebody needs it, so that
// readers never believe anything meanwhile. Then it lapses.
func TestVetoInForceIsFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &board{takes: time.Millisecond}
		voter, reader := newTrust(t, b), newTrust(t, b)
		var wg sync.WaitGroup
		for range 50 { // at once, they share one
			wg.Go(func() {
				if err := voter.Veto(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if b.vetoes != 1 {
			t.Errorf("%d vetoes for 50 voters at once", b.vetoes)
		}
		for range 1000 {
			start := time.Now()
			if err := voter.Veto(t.Context()); err != nil || time.Since(start) != 0 {
				t.Fatalf("waited %v, %v", time.Since(start), err)
			}
			believes(t, reader, 0, false)
			pass(20 * time.Millisecond)
		}
		if b.vetoes < 8 || b.vetoes > 15 {
			t.Errorf("%d vetoes in 20 s", b.vetoes)
		}
		pass(3 * time.Second)
		believes(t, reader, int64(b.vetoes), true)
		start := time.Now()
		if err := voter.Veto(t.Context()); err != nil || time.Since(start) < 500*time.Millisecond {
			t.Errorf("waited %v for a veto after a lapse, %v", time.Since(start), err)
		}
	})
}

// TestSlowVeto: what a veto took to be placed counts against its length, so one
// that took too long is none.
func TestSlowVeto(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &board{takes: 4 * time.Second}
		voter := newTrust(t, b)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := voter.Veto(ctx); err == nil {
			t.Error("in force, though over before it began")
		}
		b.set(func() { b.takes = 0 })
		if err := voter.Veto(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestVetoThatCannotBePlaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &board{err: io.EOF}
		voter := newTrust(t, b)
		if err := voter.Veto(t.Context()); err != io.EOF { //nolint:errorlint // this very one
			t.Errorf("error %v", err)
		}
		b.set(func() { b.err = nil })
		ctx, hangUp := context.WithCancel(t.Context())
		hangUp()
		if err := voter.Veto(ctx); err == nil {
			t.Error("who hangs up does not wait")
		}
		pass(time.Second)
		start := time.Now()
		if err := voter.Veto(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("waited %v, %v; it was placed for the one who hung up", time.Since(start), err)
		}
	})
}

// TestBeliefWhileTheStoreIs away, unreadable or slow.
func TestBeliefWhileTheStoreIs(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		err         error
		before, now bool // usable
	}{
		{"away", fmt.Errorf("dial: %w", core.ErrAway), true, true},
		{"away from the start", fmt.Errorf("dial: %w", core.ErrAway), false, false},
		{"unreadable", io.EOF, true, false},
		{"unreadable from the start", io.EOF, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &board{epoch: 3}
				reader := newTrust(t, b)
				if row.before {
					believes(t, reader, 3, true)
				}
				b.set(func() { b.err, b.takes = row.err, time.Second })
				for range 5 {
					pass(2 * time.Second)
					believes(t, reader, 3, row.now)
				}
				b.set(func() { b.err, b.takes, b.epoch = nil, 0, 4 })
				_, _ = reader.Epoch(t.Context()) // which asks
				pass(time.Second)
				believes(t, reader, 4, true)
			})
		})
	}
}

func TestNobodyReadsNobodyAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &board{}
		reader := newTrust(t, b)
		pass(time.Hour)
		if b.reads != 0 {
			t.Errorf("%d questions for nobody", b.reads)
		}
		for range 1000 {
			believes(t, reader, 0, true)
			pass(time.Millisecond)
		}
		if b.reads < 9 || b.reads > 11 {
			t.Errorf("%d questions in a second", b.reads)
		}
		ctx, hangUp := context.WithCancel(t.Context())
		hangUp()
		pass(time.Hour)
		b.set(func() { b.takes = time.Second })
		if _, ok := reader.Epoch(ctx); ok {
			t.Error("believes without an answer")
		}
	})
}
