package redis

import (
	"context"
	"sync"

	"craftista/product/internal/core"
)

// load is a load of one piece.
type load func(context.Context) (core.Encoded, error)

// herds lets readers share loads of pieces without any help of Redis. Who comes
// while a load of a piece runs cannot have its outcome, which may be older than
// a change acknowledged before they came; they wait for it to end and share the
// next one. So for each piece one load runs and one waits at most. The zero
// value is ready, and safe for concurrent use.
type herds struct {
	work sync.WaitGroup

	mu      sync.Mutex // guards running and each herd's next
	running map[int64]*herd
}

// herd is the readers who share one load.
type herd struct {
	load  func() (core.Encoded, error)
	done  chan struct{} // closed once piece and err are set
	piece core.Encoded
	err   error
	next  *herd // gathers while this one's load runs; nil if nobody came
}

// share returns what a load of the piece gives that begins after the call. The
// load goes on when the reader it is made for hangs up.
func (h *herds) share(ctx context.Context, id int64, do load) (core.Encoded, error) {
	mine := h.join(id, func() (core.Encoded, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTime)
		defer cancel()
		return do(ctx)
	})
	select {
	case <-mine.done:
		return mine.piece, mine.err
	case <-ctx.Done():
		return core.Encoded{}, ctx.Err()
	}
}

func (h *herds) join(id int64, load func() (core.Encoded, error)) *herd {
	h.mu.Lock()
	defer h.mu.Unlock()
	running, fresh := h.running[id], &herd{load: load, done: make(chan struct{})}
	switch {
	case running == nil:
		if h.running == nil {
			h.running = map[int64]*herd{}
		}
		h.running[id] = fresh
		h.work.Go(func() { h.run(id, fresh) })
		return fresh
	case running.next == nil:
		running.next = fresh
	}
	return running.next
}

// run loads for one herd after the other until nobody waits.
func (h *herds) run(id int64, now *herd) {
	for now != nil {
		now.piece, now.err = now.load()
		h.mu.Lock()
		next := now.next
		if next == nil {
			delete(h.running, id)
		} else {
			h.running[id] = next
		}
		h.mu.Unlock()
		close(now.done)
		now = next
	}
}
