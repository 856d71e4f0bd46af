package redis

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	countsChannel = "craftista:product:changed"
	publishGap    = 100 * time.Millisecond // between two messages
	publishRest   = 2 * time.Second        // after one that Redis did not take
	checkEvery    = 3 * time.Second        // of a Redis that sends nothing
)

// PubSub tells the other processes at one Redis that counts changed, but not
// which: they read them from the store. A message may get lost. It makes no
// spans and no log lines, since without it processes only read a little later.
type PubSub struct {
	client  *redis.Client
	timeout time.Duration
	self    string        // marks the messages of this process
	due     chan struct{} // a message is
}

// OpenPubSub returns what publishes and subscribes at the URL, which is as for
// Options. It does not connect. Close it in the end.
func OpenPubSub(url string, timeout time.Duration) (*PubSub, error) {
	o, err := Options(url, timeout)
	if err != nil {
		return nil, err
	}
	o.PoolSize = 2
	return &PubSub{
		client: redis.NewClient(o), timeout: timeout, self: rand.Text(), due: make(chan struct{}, 1),
	}, nil
}

// Close closes the connections.
func (p *PubSub) Close() error { return p.client.Close() }

// Publish makes Run send a message soon, one for any number of calls that come
// close together. It does not wait.
func (p *PubSub) Publish() {
	select {
	case p.due <- struct{}{}:
	default: // a message that is sent after this call is due already
	}
}

// Run sends what Publish asks for until ctx is done.
func (p *PubSub) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.due:
		}
		pause := publishGap
		if err := p.send(ctx); err != nil {
			pause = publishRest
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
	return p.client.Publish(ctx, countsChannel, p.self).Err()
}

// Subscribe calls wake for each message of another process until ctx is done. It
// connects as often as it must.
func (p *PubSub) Subscribe(ctx context.Context, wake func()) {
	s := p.client.Subscribe(ctx, countsChannel)
	defer func() { _ = s.Close() }()
	messages := s.Channel(redis.WithChannelHealthCheckInterval(checkEvery))
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-messages:
			if !ok {
				return
			}
			if m.Payload != p.self {
				wake()
			}
		}
	}
}
