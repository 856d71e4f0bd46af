package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"craftista/shared/telemetry"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	poolSize = 64

	failures   = 3                      // in a row, and Redis counts as lost
	probeEvery = 100 * time.Millisecond // while it fails
)

// link is the way to one Redis, behind a circuit breaker. A failed command wakes
// a probe, whose pings count like readers' commands: a few failures in a row
// open the breaker, and only a ping can close it. So a Redis that is dead or
// slow costs its patience to those few readers who find out, and nothing to the
// others. It is safe for concurrent use.
//
// The breaker is two words of memory, for each piece read from the cache passes
// it: a library's times and locks each command, which shows in the rate.
type link struct {
	client   *redis.Client
	pinger   *redis.Client // without spans, for nobody's request pings
	patience time.Duration
	log      *slog.Logger
	inARow   atomic.Int32           // failures
	lost     atomic.Bool            // the breaker is open
	failed   chan struct{}          // holds a token if a command failed
	run      atomic.Pointer[string] // Redis's name for its run; nil before the first connection
	stop     context.CancelFunc
	work     sync.WaitGroup
}

// errLost is why a command was not sent.
var errLost = errors.New("redis is lost")

func openLink(url string, patience time.Duration, t *telemetry.Telemetry) (*link, error) {
	o, err := options(url, patience)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	l := &link{patience: patience, pinger: redis.NewClient(o), log: t.Log, failed: make(chan struct{}, 1), stop: stop}
	o.OnConnect = l.identify
	l.client = redis.NewClient(o)
	l.work.Go(func() { l.probe(ctx) })
	err = instrument(l.client, t)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("instrument Redis client: %w", err), l.close())
	}
	return l, nil
}

func options(url string, patience time.Duration) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if err != nil { // its text may repeat the password
		return nil, errors.New("read Redis URL: it is not of the form redis://:password@host:port/0")
	}
	o.ContextTimeoutEnabled = true                        // reads and writes keep the deadline of the command, see inTime
	o.PoolTimeout, o.DialTimeout = patience/2, patience/2 // and these come before it
	o.ReadTimeout, o.WriteTimeout = patience, patience
	o.MaxRetries, o.DialerRetries = -1, 1 // -1 is no retry; of dialling, 1 is one try
	o.PoolSize = poolSize
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o, nil
}

// close ends the probe and closes the connections.
func (l *link) close() error {
	l.stop()
	l.work.Wait()
	return errors.Join(l.client.Close(), l.pinger.Close())
}

// inTime has a deadline and no end, so that it needs no timer: sockets keep the
// deadline by themselves. A reader who hangs up does not end it either; Redis has
// the command, and the answer has to be read before the next.
type inTime struct {
	context.Context //nolint:containedctx // it is one itself
	deadline        time.Time
}

func (c inTime) Deadline() (time.Time, bool) { return c.deadline, true }
func (c inTime) Done() <-chan struct{}       { return nil }
func (c inTime) Err() error                  { return nil }

// do sends a command, unless Redis is lost, and gives up after patience.
func (l *link) do(ctx context.Context, command func(context.Context) error) error {
	if l.lost.Load() {
		return errLost
	}
	err := command(inTime{ctx, time.Now().Add(l.patience)})
	if l.count(err); !answered(err) {
		select {
		case l.failed <- struct{}{}:
		default: // it is known
		}
	}
	return err
}

// count counts a failure, or ends the row of them.
func (l *link) count(err error) {
	switch {
	case !answered(err):
		if l.inARow.Add(1) >= failures && l.lost.CompareAndSwap(false, true) {
			l.log.Warn("cache lost, serving from the store")
		}
	case l.inARow.Load() != 0:
		l.inARow.Store(0)
	}
}

// answered reports whether Redis itself gave the error, or there is none.
func answered(err error) bool {
	if err == nil {
		return true
	}
	var reply redis.Error
	return errors.As(err, &reply)
}

// probe pings from each failure on until Redis answers.
func (l *link) probe(ctx context.Context) {
	for {
		select {
		case <-l.failed:
		case <-ctx.Done():
			return
		}
		for !l.answers(ctx) {
			select {
			case <-time.After(probeEvery):
			case <-ctx.Done():
				return
			}
		}
		if l.lost.CompareAndSwap(true, false) {
			l.log.Info("cache back")
		}
	}
}

// answers reports whether Redis answers a ping.
func (l *link) answers(ctx context.Context) bool {
	err := l.ping(ctx)
	if ctx.Err() == nil { // else it is the link that is closed
		l.count(err)
	}
	return answered(err)
}

// ping gives up after patience. It dials first by itself, for the library has a
// log of its own, which would get a line for each dial that fails.
func (l *link) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	o := l.pinger.Options()
	var d net.Dialer
	c, err := d.DialContext(ctx, o.Network, o.Addr)
	if err != nil {
		return err
	}
	_ = c.Close()
	return l.pinger.Ping(ctx).Err()
}

// identify learns which run of Redis a new connection leads to, before any other
// command goes over it. If another connection learnt of one meanwhile, nobody
// can say which is the newer, so it asks again. Redis in memory (miniredis) has
// no name for its run, and no old pieces to come back with.
func (l *link) identify(ctx context.Context, c *redis.Conn) error {
	for {
		known := l.run.Load()
		info, err := c.Info(ctx, "server").Result()
		if !answered(err) {
			return fmt.Errorf("ask Redis for its run: %w", err)
		}
		_, run, _ := strings.Cut(info, "run_id:")
		run, _, _ = strings.Cut(run, "\r\n")
		if known != nil && *known == run || l.run.CompareAndSwap(known, &run) {
			return nil
		}
	}
}
