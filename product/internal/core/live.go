package core

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"craftista/shared/fault"
)

const (
	maxListeners = 10_000 // of one process
	maxCatchUps  = 4      // that look at once, so that a rush of listeners leaves connections to others
	pageSize     = 250    // pieces in one look

	lookTime = 5 * time.Second
	pollTime = 2 * time.Second        // from look to look without a nudge
	gap      = 200 * time.Millisecond // from look to look at least, so that a thousand changes cost one
	pageGap  = 20 * time.Millisecond  // between pages, so that a bulk of changes makes no listener lag
	beatTime = 15 * time.Second
	maxLag   = 10 * time.Second // of a listener behind the news
)

// errSlow ends a listener that keeps its pace no longer.
var errSlow = errors.New("the listener is too slow")

// Live tells any number of listeners the counts as they change, wherever the
// changes are made: it looks into the store when it is nudged, and now and then
// without. It is safe for concurrent use.
//
// Each look is told to all listeners by one link of a chain, which each walks at
// its own pace: nothing is kept or done per listener, and what is behind the
// slowest is garbage.
type Live struct {
	store    Tallies
	encode   EncodeTally
	log      *slog.Logger
	nudged   chan struct{} // a look is due
	changed  chan struct{} // a change was made here
	catchUps chan struct{} // holds one for each that reads
	away     bool          // the last look failed; Run's alone

	mu        sync.Mutex // guards the rest
	listeners int
	awake     chan struct{} // closed once looks tell all that changes from then on
	tail      *news         // the next to be told
}

// EncodeTally gives a tally the form in which listeners get it. Who has been
// told it may later go on from position.
type EncodeTally func(t Tally, position uint64) []byte

// news is what one look found, or a heartbeat.
type news struct {
	told   chan struct{} // closed once the rest is set
	at     time.Time
	events []event // none is a heartbeat
	next   *news
}

type event struct {
	Tally
	text []byte
}

// NewLive returns what tells of the changes in store, once it runs.
func NewLive(store Tallies, encode EncodeTally, log *slog.Logger) *Live {
	return &Live{
		store: store, encode: encode, log: log,
		nudged: make(chan struct{}, 1), changed: make(chan struct{}, 1), catchUps: make(chan struct{}, maxCatchUps),
		awake: make(chan struct{}), tail: &news{told: make(chan struct{})},
	}
}

// Nudge makes Live look soon: something may have changed. It does not wait.
func (l *Live) Nudge() { signal(l.nudged) }

// Change is Nudge for a change that this process made: others want to hear of
// it too, see Changes. Call it once the change is visible. It does not wait.
func (l *Live) Change() {
	signal(l.nudged)
	signal(l.changed)
}

// Changes receives after changes that this process made, once after many.
func (l *Live) Changes() <-chan struct{} { return l.changed }

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is waiting, and will be received after this moment
	}
}

// Ready is nil if one more may listen, Unavailable if they are too many. It does
// not ask for the store: a browser comes back to a stream that ended, and gives
// up on one that was refused.
func (l *Live) Ready() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listeners < maxListeners {
		return nil
	}
	return &fault.Error{Kind: fault.Unavailable, Message: "too many are listening, try again later", RetryAfter: 10 * time.Second}
}

// now looks at nothing but the moment.
func (l *Live) now(ctx context.Context) (Moment, error) {
	_, now, err := l.look(ctx, Since(1), Tally{}, []int64{})
	return now, err
}

// Tell sends what changed since position, and then what changes, until ctx is
// done, send gives an error, the store does or the listener falls behind.
// Position is one that EncodeTally got, in whichever process; from 1, or one that
// cannot be, all pieces are sent. With ids, only those of them, ascending. Counts
// of one piece never go back to older ones.
func (l *Live) Tell(ctx context.Context, position uint64, ids []int64, send func([]byte) error) error {
	awake := l.enter()
	defer l.leave()
	if err := wait(ctx, awake); err != nil {
		return err
	}
	at, saw, err := l.catchUp(ctx, position, ids, send)
	if err != nil {
		return err
	}
	return l.follow(ctx, at, saw, ids, send)
}

func (l *Live) enter() (awake <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listeners++; l.listeners == 1 {
		l.Nudge()
	}
	return l.awake
}

func (l *Live) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listeners--
}

func wait(ctx context.Context, awake <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	select {
	case <-awake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// catchUp sends what changed since position. The last round, of one look, begins
// at a link that was not told yet, so that what its look did not see is in the
// links from there on.
func (l *Live) catchUp(ctx context.Context, position uint64, ids []int64, send func([]byte) error) (*news, Moment, error) {
	look := func(after Moment, last Tally) (all []Tally, now Moment, err error) {
		select {
		case l.catchUps <- struct{}{}:
			defer func() { <-l.catchUps }()
		case <-ctx.Done():
			return nil, Moment{}, ctx.Err()
		}
		looked := make(chan struct{}) // a look needs a deep stack, which would stay with the listener
		go func() {
			defer close(looked)
			all, now, err = l.look(ctx, after, last, ids)
		}()
		<-looked
		return all, now, err
	}
	for after := Since(position); ; {
		at := l.untold()
		now, looks, err := l.read(look, after, func(events []event) error {
			if len(events) == 0 {
				return nil
			}
			return send(text(events, Moment{}, nil))
		})
		switch {
		case err != nil:
			return nil, Moment{}, err
		case position > now.Ceiling: // of another database
			position, after = 1, Since(1)
		case looks == 1:
			return at, now, nil
		default:
			after = now
		}
	}
}

func (l *Live) untold() *news {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail
}

// look gives up on a store that is silent.
func (l *Live) look(ctx context.Context, after Moment, last Tally, ids []int64) ([]Tally, Moment, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if ids != nil {
		return l.store.ChangedOf(ctx, after, ids)
	}
	return l.store.Changed(ctx, after, last, pageSize)
}

// read looks until it found all that changed after a moment, hands on what each
// look found, and returns the moment of the first look. What it hands on twice
// is newer the second time.
func (l *Live) read(look func(after Moment, last Tally) ([]Tally, Moment, error), after Moment, found func([]event) error) (now Moment, looks int, err error) {
	for last := (Tally{}); ; {
		tallies, seen, err := look(after, last)
		if err != nil {
			return now, looks, err
		}
		if looks++; looks == 1 {
			now = seen
		}
		more := len(tallies) == pageSize
		events := make([]event, len(tallies))
		for i, t := range tallies {
			position := now.Floor
			if more || i < len(tallies)-1 {
				position = min(t.Change, now.Floor) // all before t in the order of changes has been told
			}
			events[i] = event{t, l.encode(t, position)}
		}
		if err := found(events); err != nil || !more {
			return now, looks, err
		}
		last = tallies[len(tallies)-1]
	}
}

// follow sends the links of the chain from at on, but what the moment saw.
func (l *Live) follow(ctx context.Context, at *news, saw Moment, ids []int64, send func([]byte) error) error {
	const heartbeat = ": still here\n\n"
	for ; ; at = at.next {
		select {
		case <-ctx.Done():
			return nil
		case <-at.told:
		}
		if time.Since(at.at) > maxLag {
			return errSlow
		}
		due := text(at.events, saw, ids)
		if len(at.events) == 0 {
			due = []byte(heartbeat)
		}
		if len(due) == 0 {
			continue
		}
		if err := send(due); err != nil {
			return err
		}
	}
}

// text is the events that the moment did not see, and those of ids if there are
// any.
func text(events []event, saw Moment, ids []int64) []byte {
	var all []byte
	for _, e := range events {
		_, chosen := slices.BinarySearch(ids, e.ID)
		if (ids == nil || chosen) && !saw.Saw(e.Change) {
			all = append(all, e.text...)
		}
	}
	return all
}
