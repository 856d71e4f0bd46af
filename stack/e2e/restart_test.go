package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/frontend"
	"craftista/product"
	"craftista/product/redistest"
	"craftista/shared/service"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"
	"craftista/shared/waittest"
	"craftista/stack/internal/stacktest"
)

// TestRollingRestartOfProduct: no vote and no list fails.
func TestRollingRestartOfProduct(t *testing.T) {
	t.Parallel()
	database, issuer := pgtest.NewSeeded(t), tokentest.New(t)
	c := product.Default()
	c.DatabaseURL, c.RedisURL = database.ProductURL, redistest.Start(t).URL()
	c.JWKSURL, c.Issuer = issuer.JWKSURL(), issuer.URL
	votes := &load{
		method: "POST", path: "/api/origamis/1/vote", want: `"voted":true`,
		sign: func(r *http.Request, n int64) {
			r.Header.Set("Authorization", "Bearer "+issuer.Mint(firstPerson+n, token.RoleUser))
		},
	}
	lists := &load{method: "GET", path: "/api/products", want: "Paper crane"}
	rollingRestart(t, func(ctx context.Context, own service.Config) error {
		replica := c
		replica.Config = own
		return product.Run(ctx, replica)
	}, votes, lists)

	const query = `SELECT count(*) FROM product.votes WHERE product_id = 1 AND person_id >= $1`
	var got int64
	if err := openDatabase(t, database.AdminURL).GetContext(t.Context(), &got, query, firstPerson); err != nil {
		t.Fatal(err)
	}
	if got != votes.sent.Load() {
		t.Errorf("%d votes are counted, want %d", got, votes.sent.Load())
	}
}

// TestRollingRestartOfFrontend: no page fails, a visitor's or a signed-in person's, and no vote by htmx.
func TestRollingRestartOfFrontend(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	c := frontend.Default()
	c.AuthURL, c.Issuer, c.InternalAPIKey = s.URLs["auth"], s.URLs["auth"], s.Config.InternalAPIKey
	c.ProductURL, c.RecommendationURL = s.URLs["product"], s.URLs["recommendation"]
	c.PageTimeout = s.Config.PageTimeout
	session := cookies(t, signUp(t, s.URLs["frontend"]), s.URLs["frontend"])
	signIn := func(r *http.Request, _ int64) {
		for name, value := range session {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	rollingRestart(t, func(ctx context.Context, own service.Config) error {
		replica := c
		replica.Config = own
		return frontend.Run(ctx, replica)
	},
		&load{method: "GET", path: "/", want: "Paper crane"},
		&load{method: "GET", path: "/origamis/1", want: "Sign out", sign: signIn},
		&load{
			method: "POST", path: "/origamis/1/vote", want: "You voted for Paper crane",
			sign: func(r *http.Request, n int64) {
				signIn(r, n)
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				r.Header.Set("HX-Request", "true")
			},
		},
	)
}

// load is a kind of request.
type load struct {
	method, path string
	sign         func(r *http.Request, n int64) // says who sends the nth request; nil is nobody
	want         string                         // is in each response
	sent         atomic.Int64
}

// rollingRestart restarts two replicas in turn, eight times, while four clients send each load through a balancer by
// connections that they use again.
func rollingRestart(t *testing.T, run func(context.Context, service.Config) error, loads ...*load) {
	const restarts, clients = 8, 4
	b := &balancer{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients * len(loads)}}}
	b.changed.L = &b.mu
	var checks, sends sync.WaitGroup
	checksContext, stopChecks := context.WithCancel(t.Context())
	checks.Go(func() { b.check(checksContext) })
	for range 2 {
		b.add(t, run)
	}
	b.awaitReady()

	sendsContext, stopSends := context.WithCancel(t.Context())
	for _, l := range loads {
		n := l.sent.Add(1)
		waittest.Until(t, l.path+" works, once all have what they need of each other", func() bool {
			return b.send(l, n) == nil
		})
		for range clients {
			sends.Go(func() {
				for sendsContext.Err() == nil {
					n := l.sent.Add(1)
					if err := b.send(l, n); err != nil {
						t.Errorf("%s %s, request %d: %v", l.method, l.path, n, err)
					}
				}
			})
		}
	}
	for range restarts {
		b.awaitReady()
		b.stop(t)
		b.add(t, run)
	}
	stopSends()
	sends.Wait()
	for range 2 {
		b.stop(t)
	}
	stopChecks()
	checks.Wait()
	for _, l := range loads {
		t.Logf("%d times %s %s", l.sent.Load(), l.method, l.path)
	}
}

// balancer sends each request to the next replica that is ready as far as it knows, and never a second time.
type balancer struct {
	client   *http.Client
	mu       sync.Mutex // guards the rest and what replicas say of themselves
	replicas []*replica
	next     int
	changed  sync.Cond // something above, or a replica
}

// until waits for a condition on the replicas.
func (b *balancer) until(holds func() bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !holds() {
		b.changed.Wait()
	}
}

// change changes something of the replicas.
func (b *balancer) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	b.changed.Broadcast()
}

// replica is a running service. It is also its log, which lets it go on from the line "draining" once the balancer
// has seen that and sends it nothing more: no drain of so many seconds is long enough for any test machine.
type replica struct {
	balancer *balancer
	url      string
	cancel   context.CancelFunc
	ended    chan error
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
func (b *balancer) add(t *testing.T, run func(context.Context, service.Config) error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{balancer: b, url: "http://" + l.Addr().String(), ended: make(chan error, 1)}
	c := service.Config{Listener: l}
	c.Log = r
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r.cancel = cancel
	go func() { r.ended <- run(ctx, c) }()
	b.change(func() { b.replicas = append(b.replicas, r) })
}

// stop ends the oldest replica and forgets it.
func (b *balancer) stop(t *testing.T) {
	t.Helper()
	oldest := b.replicas[0] // only this goroutine changes them
	oldest.cancel()
	if err := <-oldest.ended; err != nil {
		t.Errorf("stop: %v", err)
	}
	b.change(func() { b.replicas = slices.Delete(b.replicas, 0, 1) })
}

// check asks all replicas every 200 ms whether they are ready, until ctx is done.
func (b *balancer) check(ctx context.Context) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		b.mu.Lock()
		replicas := slices.Clone(b.replicas)
		b.mu.Unlock()
		for _, r := range replicas {
			var body []byte
			res, err := b.client.Get(r.url + "/readyz")
			if err == nil {
				body, err = io.ReadAll(res.Body)
				_ = res.Body.Close()
			}
			b.change(func() {
				r.ready = err == nil && res.StatusCode == http.StatusOK
				r.drains = r.drains || bytes.Contains(body, []byte("draining"))
			})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
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

// send makes the nth request of a load.
func (b *balancer) send(l *load, n int64) error {
	to := b.choose()
	defer b.change(func() { to.open-- })
	// Go's client sends a request a second time if a connection that it used before breaks, unless there is a body that
	// it cannot read again.
	r, err := http.NewRequest(l.method, to.url+l.path, io.NopCloser(http.NoBody))
	if err != nil {
		return err
	}
	if l.sign != nil {
		l.sign(r, n)
	}
	res, err := b.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(l.want)) {
		return fmt.Errorf("%d %.300s, %w", res.StatusCode, body, err)
	}
	return nil
}
