package product_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"craftista/product"
	"craftista/shared/token"
)

// balancer sends each request to the next replica that is ready as far as it knows, and never a second time.
type balancer struct {
	mu       sync.Mutex // guards the rest and what replicas say of themselves
	replicas []*replica
	next     int
	changed  sync.Cond // something above, or a replica
}

func newBalancer() *balancer {
	b := &balancer{}
	b.changed.L = &b.mu
	return b
}

// until waits for a condition on the replicas.
func (b *balancer) until(holds func() bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !holds() {
		b.changed.Wait()
	}
}

// replica is a running service. It is also its log, which lets it go on from the line "draining" once the balancer
// has seen that and sends it nothing more: no drain of so many seconds is long enough for any test machine.
type replica struct {
	balancer *balancer
	url      string
	stop     func() error
	ready    bool // as it last said on /readyz
	drains   bool // it has said so
	open     int  // requests that it has not answered
}

func (r *replica) Enabled(context.Context, slog.Level) bool { return true }
func (r *replica) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *replica) WithGroup(string) slog.Handler            { return r }

func (r *replica) Handle(_ context.Context, line slog.Record) error {
	if line.Message == "draining" {
		r.balancer.until(func() bool { return r.drains && r.open == 0 })
	}
	return nil
}

// add runs another replica.
func (b *balancer) add(t *testing.T, c product.Config) *replica {
	t.Helper()
	r := &replica{balancer: b}
	c.Log = r
	r.url, r.stop = run(t, c)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replicas = append(b.replicas, r)
	return r
}

// check asks the replica whether it is ready.
func (b *balancer) check(r *replica) {
	var body []byte
	res, err := http.Get(r.url + "/readyz")
	if err == nil {
		body, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r.ready = err == nil && res.StatusCode == http.StatusOK
	r.drains = r.drains || bytes.Contains(body, []byte("draining"))
	b.changed.Broadcast()
}

// run checks all replicas every 200 ms until ctx is done.
func (b *balancer) run(ctx context.Context) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		b.mu.Lock()
		replicas := slices.Clone(b.replicas)
		b.mu.Unlock()
		for _, r := range replicas {
			b.check(r)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// remove forgets a replica that has ended.
func (b *balancer) remove(r *replica) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replicas = slices.DeleteFunc(b.replicas, func(each *replica) bool { return each == r })
}

// awaitReady waits until the balancer knows that all are.
func (b *balancer) awaitReady() {
	b.until(func() bool { return !slices.ContainsFunc(b.replicas, func(r *replica) bool { return !r.ready }) })
}

// choose returns the next replica that is ready.
func (b *balancer) choose() (chosen *replica) {
	b.until(func() bool {
		for range b.replicas {
			b.next++
			if chosen = b.replicas[b.next%len(b.replicas)]; chosen.ready {
				chosen.open++
				return true
			}
		}
		return false
	})
	return chosen
}

// send makes one request by a client.
func (b *balancer) send(client *http.Client, method, path, bearer string) error {
	to := b.choose()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		to.open--
		b.changed.Broadcast()
	}()
	r, err := http.NewRequest(method, to.url+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("%d %s, %w", res.StatusCode, body, err)
	}
	return nil
}

// TestRollingRestart: two replicas are restarted in turn, eight times, and no vote and no page fails.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	const restarts, clients = 8, 4
	s, b := newSite(t, 1), newBalancer()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range 2 {
		b.add(t, s.config)
	}
	running.Go(func() { b.run(ctx) })
	b.awaitReady()

	var votes, pages atomic.Int64
	// Go's client sends a GET again if a connection that it used before breaks; these readers have none.
	reader := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	voter := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	for range clients {
		running.Go(func() {
			for ctx.Err() == nil {
				userID := votes.Add(1)
				if err := b.send(voter, "POST", "/api/origamis/1/vote", s.issuer.Mint(userID, token.RoleUser)); err != nil {
					t.Errorf("vote %d: %v", userID, err)
				}
			}
		})
		running.Go(func() {
			for ctx.Err() == nil {
				if page, err := pages.Add(1), b.send(reader, "GET", "/api/products", ""); err != nil {
					t.Errorf("page %d: %v", page, err)
				}
			}
		})
	}
	for range restarts {
		b.awaitReady()
		old := b.replicas[0] // only this goroutine changes them
		if err := old.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
		b.remove(old)
		b.add(t, s.config)
	}
	stop()
	running.Wait()
	t.Logf("%d votes and %d pages", votes.Load(), pages.Load())
	if got := s.counts(t)[1]; got != votes.Load() {
		t.Errorf("%d votes are counted, want %d", got, votes.Load())
	}
	for _, r := range b.replicas {
		r.drains = true // so that the end of the test does not wait
	}
}
