// Package pubsub notifies the other replicas, through Redis, that counts changed.
package pubsub

import (
	"context"
	"crypto/rand"
	"time"

	"craftista/product/internal/infrastructure/redisclient"

	"github.com/redis/go-redis/v9"
)

const (
	countsChannel       = "craftista:product:changed"
	minPublishInterval  = 100 * time.Millisecond // between two messages
	retryDelay          = 2 * time.Second        // after a message that could not be sent
	healthCheckInterval = 3 * time.Second        // of a subscription without messages
)

// PubSub publishes that counts changed, and subscribes to the messages of the other
// replicas. A message does not say which counts: the subscribers read them from the
// store. If a message is lost, they read them up to a second later; therefore PubSub
// makes no spans and no log lines.
type PubSub struct {
	client   *redis.Client
	timeout  time.Duration
	senderID string        // in the messages of this process
	pending  chan struct{} // holds a value while a message is to be sent
}

// Open returns a PubSub at the Redis at url, which is as for redisclient.Options. It
// does not connect. Close it in the end.
func Open(url string, timeout time.Duration) (*PubSub, error) {
	o, err := redisclient.Options(url, timeout)
	if err != nil {
		return nil, err
	}
	o.PoolSize = 2
	return &PubSub{
		client: redis.NewClient(o), timeout: timeout, senderID: rand.Text(), pending: make(chan struct{}, 1),
	}, nil
}

// Close closes the connections.
func (p *PubSub) Close() error { return p.client.Close() }

// Publish makes Run send a message soon: one for all calls within minPublishInterval.
// It does not wait.
func (p *PubSub) Publish() {
	select {
	case p.pending <- struct{}{}:
	default: // a message will be sent after this call anyway
	}
}

// Run sends the messages until ctx is done.
func (p *PubSub) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.pending:
		}
		pause := minPublishInterval
		if err := p.send(ctx); err != nil {
			pause = retryDelay
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (p *PubSub) send(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	return p.client.Publish(ctx, countsChannel, p.senderID).Err()
}

// Subscribe calls notify for each message of another process until ctx is done. After
// a lost connection it connects again.
func (p *PubSub) Subscribe(ctx context.Context, notify func()) {
	s := p.client.Subscribe(ctx, countsChannel)
	defer func() { _ = s.Close() }()
	messages := s.Channel(redis.WithChannelHealthCheckInterval(healthCheckInterval))
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-messages:
			if !ok {
				return
			}
			if m.Payload != p.senderID {
				notify()
			}
		}
	}
}
