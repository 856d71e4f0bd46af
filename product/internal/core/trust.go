package core

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Register is what all replicas share to agree which cached pieces may be
// believed, and is lost only together with the votes.
type Register interface {
	// Read returns the epoch and whether a veto is in force. The error is ErrAway
	// if nobody, as far as one can tell from here, reaches the store.
	Read(ctx context.Context) (epoch int64, vetoed bool, err error)
	// Veto begins a new epoch and a veto that lasts for term at least. Every Read
	// that begins after it returned without error knows of both.
	Veto(ctx context.Context, term time.Duration) error
}

// ErrAway is what a Register returns, wrapped, when the store is out of reach.
var ErrAway = errors.New("the store is away")

// VetoTerm is the length of a veto that suits readers, who do without the cache
// for so long, and voters, the first of whom waits for a fifth of it.
const VetoTerm = 3 * time.Second

const registerIn = 10 * time.Second // for one question or veto; a store that is silent is away before

// Trust says which cached pieces may be believed, across replicas and through a
// cache that does not hear of changes and comes back with what it had. A cached
// piece is kept with the epoch that was current before its load began, and is
// believed only in that epoch and out of vetoes.
//
// Why no read that starts after a change was acknowledged is given an older
// piece, if the cache did not hear of the change: the change was acknowledged
// at a moment v after its commit, when a veto had been in force for beliefTime
// and would go on for leeway. A read that begins later relies on an answer asked
// for at most beliefTime before it began, thus one that knows of that veto's
// epoch, and finds nothing believable from before it. If the answer says that the veto is over,
// it was given after v; and pieces of this epoch were loaded after such an
// answer, to this or another replica, hence after v and the commit.
//
// Limits. A replica that cannot reach the store goes on by the last answer, so
// that cached pieces are served while the store is away: if it alone lost the
// store, and another replica lost only the cache, its readers may see older
// pieces until these expire. The store's clock must not jump ahead by more than
// a veto. Both are faults on top of a fault.
//
// A Trust is safe for concurrent use. Close it in the end.
type Trust struct {
	register Register
	term     time.Duration // of a veto
	log      *slog.Logger
	wanted   chan struct{} // holds a token if somebody relies on the belief
	belief   atomic.Pointer[belief]
	stop     context.CancelFunc
	work     sync.WaitGroup

	mu   sync.Mutex // guards veto and next
	veto time.Time  // when the veto in force was asked for
	next *veto      // under way; nil if none is
}

// belief is what an answer of the register says. It is never changed.
type belief struct {
	epoch    int64
	usable   bool // cached pieces of the epoch may be believed
	away     bool // the store is, so this holds until there is news
	asked    time.Time
	replaced chan struct{} // closed when there is a newer one
}

// veto is one that has been asked for.
type veto struct {
	done chan struct{} // closed once it is in force or err is set
	err  error
}

// An answer is believed for beliefTime from when it was asked for.
func (t *Trust) beliefTime() time.Duration { return t.term / 6 }

// askEvery is the least time between two questions.
func (t *Trust) askEvery() time.Duration { return t.term / 30 }

// leeway is for clocks that do not run at quite the same rate.
func (t *Trust) leeway() time.Duration { return t.term / 30 }

// NewTrust returns the trust that replicas share by way of register. They all
// have the same term of vetoes, usually VetoTerm.
func NewTrust(register Register, term time.Duration, log *slog.Logger) *Trust {
	ctx, stop := context.WithCancel(context.Background())
	t := &Trust{register: register, term: term, log: log, wanted: make(chan struct{}, 1), stop: stop}
	t.belief.Store(&belief{replaced: make(chan struct{})})
	t.work.Go(func() { t.ask(ctx) })
	return t
}

// Close stops what runs in the background and waits for it.
func (t *Trust) Close() {
	t.stop()
	t.work.Wait()
}

// Epoch returns the epoch that pieces must be of to be believed by a read that
// begins with this call; not ok means that none may be. It waits only if nobody
// has asked for a while or the store is slow, for two answers at most.
func (t *Trust) Epoch(ctx context.Context) (epoch int64, ok bool) {
	began := time.Now()
	for {
		b := t.belief.Load()
		age := began.Sub(b.asked)
		if age > t.askEvery() {
			select {
			case t.wanted <- struct{}{}:
			default: // it is known
			}
		}
		if b.away || age <= t.beliefTime() {
			return b.epoch, b.usable
		}
		select {
		case <-b.replaced:
		case <-ctx.Done():
			return 0, false
		}
	}
}

// ask keeps the belief fresh for as long as somebody relies on it.
func (t *Trust) ask(ctx context.Context) {
	for {
		select {
		case <-t.wanted:
			t.learn(ctx)
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(t.askEvery()):
		case <-ctx.Done():
			return
		}
	}
}

// learn replaces the belief.
func (t *Trust) learn(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, registerIn)
	defer cancel()
	was := t.belief.Load()
	now := &belief{asked: time.Now(), replaced: make(chan struct{})}
	epoch, vetoed, err := t.register.Read(ctx)
	switch {
	case err == nil:
		now.epoch, now.usable = epoch, !vetoed
	case errors.Is(err, ErrAway):
		now.epoch, now.usable, now.away = was.epoch, was.usable, true
	case ctx.Err() == nil && was.usable:
		t.log.WarnContext(ctx, "cached pieces are not used: the register cannot be read", "error", err)
	}
	if err == nil && was.usable != now.usable {
		t.log.InfoContext(ctx, "the register was read", "cached_pieces_usable", now.usable, "epoch", epoch)
	}
	t.belief.Store(now)
	close(was.replaced)
}

// Veto returns once no reader believes a piece that is cached by now or will be
// loaded from what is committed by now. Many callers share one veto; one that is
// in force costs them nothing and is renewed in the background for as long as
// they come. On an error readers may believe anything.
func (t *Trust) Veto(ctx context.Context) error {
	for {
		next := t.cover()
		if next == nil {
			return nil
		}
		select {
		case <-next.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if next.err != nil {
			return next.err
		}
	}
}

// cover returns nil if a veto is in force, else the one to wait for.
func (t *Trust) cover() *veto {
	t.mu.Lock()
	defer t.mu.Unlock()
	age := time.Since(t.veto)
	if t.next == nil && age > t.term/2 {
		t.next = &veto{done: make(chan struct{})}
		t.work.Go(t.place)
	}
	if age < t.term-t.leeway() {
		return nil
	}
	return t.next
}

// place asks for the next veto and waits until all readers know.
func (t *Trust) place() {
	ctx, cancel := context.WithTimeout(context.Background(), registerIn)
	defer cancel()
	asked := time.Now()
	err := t.register.Veto(ctx, t.term)
	if err == nil {
		<-time.After(t.beliefTime() + t.leeway())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.veto = asked
	}
	t.next.err = err
	close(t.next.done)
	t.next = nil
}
