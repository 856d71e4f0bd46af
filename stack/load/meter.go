package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// meter counts what was done. It is safe for concurrent use.
type meter struct {
	listeners, events atomic.Int64 // who have an open stream, and what all of them got
	mu                sync.Mutex   // protects kinds
	kinds             map[string]*kind
}

// kind is what was done of one kind.
type kind struct {
	took   []time.Duration // also by what failed
	failed int
	reason error // of the latest failure
}

func newMeter() *meter { return &meter{kinds: map[string]*kind{}} }

// measure does it and counts it by its name.
func (m *meter) measure(ctx context.Context, name string, do func(context.Context) error) {
	began := time.Now()
	err := do(ctx)
	took := time.Since(began)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kinds[name] == nil {
		m.kinds[name] = &kind{}
	}
	k := m.kinds[name]
	k.took = append(k.took, took)
	if err != nil {
		k.failed, k.reason = k.failed+1, err
	}
}

// String is a line about all so far.
func (m *meter) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	done, failed := m.total()
	return fmt.Sprintf("%6d done %5d failed %5d listeners %7d events", done, failed, m.listeners.Load(), m.events.Load())
}

// report prints a table of all. The error says that more than the share maxErrors
// failed.
func (m *meter) report(out io.Writer, maxErrors float64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	row := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	row("\n%-9s %7s %7s %9s %9s %9s", "", "count", "failed", "50 %", "95 %", "99 %")
	for _, name := range slices.Sorted(maps.Keys(m.kinds)) {
		k := m.kinds[name]
		slices.Sort(k.took)
		row("%-9s %7d %7d %9v %9v %9v", name, len(k.took), k.failed, k.within(50), k.within(95), k.within(99))
		if k.failed > 0 {
			row("  such as: %v", k.reason)
		}
	}
	done, failed := m.total()
	row("%d of %d failed; listeners got %d events", failed, done, m.events.Load())
	if float64(failed) > maxErrors*float64(done) {
		return fmt.Errorf("more than the share of %g failed", maxErrors)
	}
	return nil
}

// total is how much was done, and how much of it failed. m.mu is locked.
func (m *meter) total() (done, failed int) {
	for _, k := range m.kinds {
		done, failed = done+len(k.took), failed+k.failed
	}
	return done, failed
}

// within is the time that percent of them took at most, by nearest rank; took is
// sorted.
func (k *kind) within(percent int) time.Duration {
	return k.took[(len(k.took)*percent+99)/100-1].Round(100 * time.Microsecond)
}
