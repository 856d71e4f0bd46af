package api_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"craftista/product/internal/core"
	"craftista/product/internal/infrastructure/cache"
	"craftista/product/internal/infrastructure/postgres"
	"craftista/product/redistest"
	"craftista/shared/netfault"
)

// history is what one product's count was, by the only one who changes it.
type history struct {
	id int64

	mu           sync.Mutex // guards the others
	counts       []int64    // after each change that was begun
	acknowledged int        // the last of counts that was acknowledged
}

// read reads the product once and reports whether the answer is one that held at
// some moment since the read began.
func (h *history) read(t *testing.T, replica http.Handler) (source string) {
	h.mu.Lock()
	from := h.acknowledged
	h.mu.Unlock()
	w := call(t, replica, "GET", path(h.id, ""), "")
	got := body[product](t, w, 200).Votes
	source = w.Header().Get("X-Cache")
	h.mu.Lock()
	defer h.mu.Unlock()
	if w.Code == 200 && !slices.Contains(h.counts[from:], got) {
		t.Errorf("stale: product %d shows %d (%s), acknowledged before were %d, since then %v",
			h.id, got, source, h.counts[from], h.counts[from:])
	}
	return source
}

// change votes or takes back the vote of a user and tries until that is
// acknowledged.
func (h *history) change(t *testing.T, replica http.Handler, userID int64, voted bool, token string) {
	method, step := "POST", int64(1)
	if voted {
		method, step = "DELETE", -1
	}
	h.mu.Lock()
	want := h.counts[len(h.counts)-1] + step
	h.counts = append(h.counts, want)
	h.mu.Unlock()
	for {
		w := call(t, replica, method, path(h.id, "/vote"), token)
		if w.Code == 503 {
			continue
		}
		if got := body[voteReply](t, w, 200).NewVoteCount; got != want {
			t.Errorf("product %d, user %d: %d counted, want %d", h.id, userID, got, want)
		}
		break
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acknowledged = len(h.counts) - 1
}

// slowReads is a store whose answers may be a while old when they arrive.
type slowReads struct{ core.Store }

func (s slowReads) Product(ctx context.Context, id int64) (core.Product, error) {
	p, err := s.Store.Product(ctx, id)
	if rand.IntN(4) == 0 {
		pause(ctx, rand.N(20*time.Millisecond))
	}
	return p, err
}

// pause lets the others go on for d.
func pause(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}

// replicas are two over one database and one Redis, each with a proxy of its own
// to Redis.
type replicas struct {
	server   *redistest.Server
	proxies  [2]*netfault.Proxy
	services [2]http.Handler
}

func newReplicas(t *testing.T, g *gallery, fenceDuration time.Duration) *replicas {
	t.Helper()
	r := &replicas{server: redistest.Start(t)}
	for i := range r.services {
		r.proxies[i] = startProxy(t, r.server.Addr)
		r.services[i] = g.serviceOn(slowReads{postgres.NewStore(g.db)}, g.openCacheWith(t, cache.Options{
			RedisURL: "redis://" + r.proxies[i].Addr, RedisTimeout: shortTimeout, FenceDuration: fenceDuration,
		}))
	}
	return r
}

// disturb makes one fault and returns what ends it.
func (r *replicas) disturb(random *rand.Rand) (name string, restore func()) {
	proxy := r.proxies[random.IntN(2)]
	switch random.IntN(8) {
	case 0:
		proxy.Cut()
		return "one replica is cut off", proxy.Restore
	case 1:
		proxy.Block()
		return "one replica is blocked", proxy.Restore
	case 2:
		proxy.Delay(2 * time.Second)
		return "slow for one replica", proxy.Restore
	case 3:
		r.server.Pause()
		return "paused", r.server.Resume
	case 4:
		r.server.Kill()
		return "killed", r.server.Restart
	case 5:
		r.server.Do("CONFIG SET maxmemory 1")
		return "full", func() { r.server.Do("CONFIG SET maxmemory 0") }
	default:
		r.server.Do("SAVE")
		return "restarted from an old snapshot", func() {
			r.server.Kill()
			r.server.Restart()
		}
	}
}

// TestNeverStale lets readers, voters and faults of Redis race through two
// replicas and checks each read. STALE_FOR is for how long at least: it goes on
// until every source was read. STALE_SEED repeats the choices of faults, if not
// what the machine makes of them.
func TestNeverStale(t *testing.T) {
	t.Parallel()
	const products, readers, fenceDuration = 3, 3, 600 * time.Millisecond
	seed, last := rand.Uint64(), 10*time.Second
	if text := os.Getenv("STALE_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	if text := os.Getenv("STALE_FOR"); text != "" {
		last, _ = time.ParseDuration(text)
	}
	g := newGallery(t)
	r := newReplicas(t, g, fenceDuration)
	var changes atomic.Int64
	var sources sync.Map // of X-Cache, to how often
	var work sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range products {
		h := &history{id: g.addProduct(t, "Crane", day(1)), counts: []int64{0}}
		work.Go(func() { h.changeUntil(ctx, t, g, r, &changes) })
		for range readers {
			work.Go(func() {
				for ctx.Err() == nil && !t.Failed() {
					n, _ := sources.LoadOrStore(h.read(t, r.services[rand.IntN(2)]), new(atomic.Int64))
					n.(*atomic.Int64).Add(1)
				}
			})
		}
	}
	start := time.Now()
	faults := r.disturbUntil(ctx, rand.New(rand.NewPCG(seed, 0)), func() bool {
		_, hit := sources.Load("hit")
		_, miss := sources.Load("miss")
		_, bypass := sources.Load("bypass")
		return t.Failed() || time.Since(start) > last && hit && miss && bypass
	})
	cancel()
	work.Wait()
	tally := map[string]int64{"changes": changes.Load()}
	for key, n := range sources.Range {
		tally[key.(string)] = n.(*atomic.Int64).Load()
	}
	t.Logf("STALE_SEED=%d: %v, faults %v", seed, tally, faults)
}

// changeUntil votes and takes votes back until ctx is done, with pauses, in which
// an old entry that nobody removed would be read.
func (h *history) changeUntil(ctx context.Context, t *testing.T, g *gallery, r *replicas, changes *atomic.Int64) {
	const users = 5
	voted, replica := [users]bool{}, r.services[0]
	for ; ctx.Err() == nil; changes.Add(1) {
		i := rand.IntN(users)
		h.change(t, replica, int64(i)+1, voted[i], g.token(int64(i)+1))
		voted[i] = !voted[i]
		if rand.IntN(6) == 0 {
			replica = r.services[rand.IntN(2)]
			pause(ctx, rand.N(1200*time.Millisecond))
		}
	}
}

// disturbUntil makes one fault after the other until that is enough, and counts
// them.
func (r *replicas) disturbUntil(ctx context.Context, random *rand.Rand, enough func() bool) map[string]int {
	faults := map[string]int{}
	for !enough() {
		name, restore := r.disturb(random)
		pause(ctx, time.Duration(random.Int64N(int64(400*time.Millisecond))))
		restore()
		pause(ctx, time.Duration(random.Int64N(int64(1500*time.Millisecond))))
		faults[name]++
	}
	return faults
}
