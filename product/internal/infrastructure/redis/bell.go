package redis

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	bellChannel = "craftista:product:changed"
	bellGap     = 100 * time.Millisecond // between two rings
	bellRest    = 2 * time.Second        // after one that Redis did not take
	bellCheck   = 3 * time.Second        // of a Redis that says nothing
)

// Bell tells the other processes at one Redis that something changed, not what:
// they look for themselves. It may lose a ring, as Redis may be away. It makes
// no spans and no log lines: it only spares processes the wait for their next
// look.
type Bell struct {
	client   *redis.Client
	patience time.Duration
	self     string // marks the rings of this process
}

// OpenBell returns the bell at the URL, which is as for Options. It does not
// connect. Close it in the end.
func OpenBell(url string, patience time.Duration) (*Bell, error) {
	o, err := Options(url, patience)
	if err != nil {
		return nil, err
	}
	o.PoolSize = 2
	return &Bell{client: redis.NewClient(o), patience: patience, self: rand.Text()}, nil
}

// Close closes the connections.
func (b *Bell) Close() error { return b.client.Close() }

// Ring rings for what it receives from changed, once for what comes close
// together, until ctx is done.
func (b *Bell) Ring(ctx context.Context, changed <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		rest := bellGap
		if err := b.ring(ctx); err != nil { // the others look soon anyway
			rest = bellRest
		}
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
	}
}

func (b *Bell) ring(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.patience)
	defer cancel()
	return b.client.Publish(ctx, bellChannel, b.self).Err()
}

// Hear calls heard when another process rings, until ctx is done. It connects
// again and again where it must.
func (b *Bell) Hear(ctx context.Context, heard func()) {
	s := b.client.Subscribe(ctx, bellChannel)
	defer func() { _ = s.Close() }()
	rings := s.Channel(redis.WithChannelHealthCheckInterval(bellCheck))
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-rings:
			if !ok {
				return
			}
			if m.Payload != b.self {
				heard()
			}
		}
	}
}
