package core

import (
	"context"
	"time"
)

// Run looks for changes and tells them until ctx is done. While nobody listens
// it does nothing.
func (l *Live) Run(ctx context.Context) {
	beaten := make(chan struct{})
	go func() {
		defer close(beaten)
		l.beat(ctx)
	}()
	defer func() { <-beaten }()
	poll := time.NewTicker(pollTime)
	defer poll.Stop()
	var since Moment
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		case <-l.nudged:
		}
		since = l.watch(ctx, since)
		pause(ctx, gap)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// beat tells heartbeats, also while a look takes long.
func (l *Live) beat(ctx context.Context) {
	tick := time.NewTicker(beatTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.tell(nil)
		}
	}
}

// watch tells what changed since a moment and returns where to go on: there, if
// the store is away. From the zero moment, that of somebody who slept, it only
// looks what time it is, and listeners wait for that before they look.
func (l *Live) watch(ctx context.Context, since Moment) Moment {
	if l.sleep() {
		return Moment{}
	}
	if since.Ceiling == 0 {
		now, err := l.now(ctx)
		l.note(ctx, err)
		if err != nil {
			return since
		}
		close(l.awake)
		return now
	}
	look := func(after Moment, last Tally) ([]Tally, Moment, error) { return l.look(ctx, after, last, nil) }
	now, _, err := l.read(look, since, func(events []event) error {
		if len(events) > 0 {
			l.tell(events)
		}
		if len(events) == pageSize {
			pause(ctx, pageGap)
		}
		return nil
	})
	l.note(ctx, err)
	if err != nil {
		return since
	}
	return now
}

// sleep reports whether nobody listens. The next who does wakes Run.
func (l *Live) sleep() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listeners > 0 {
		return false
	}
	select {
	case <-l.awake:
		l.awake = make(chan struct{})
	default:
	}
	return true
}

// tell adds a link to the chain.
func (l *Live) tell(events []event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	link := l.tail
	link.at, link.events, link.next = time.Now(), events, &news{told: make(chan struct{})}
	l.tail = link.next
	close(link.told)
}

// note logs the first of any number of errors in a row.
func (l *Live) note(ctx context.Context, err error) {
	if err != nil && !l.away && ctx.Err() == nil {
		l.log.WarnContext(ctx, "the live counts stand still, the store is away", "error", err)
	}
	l.away = err != nil
}
