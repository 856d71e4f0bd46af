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
	"craftista/product/internal/infrastructure/postgres"
	"craftista/product/internal/redistest"
	"craftista/shared/netfault"
)

// history is what one piece's count was, by the only one who changes it.
type history struct {
	id int64

	mu           sync.Mutex // guards the others
	counts       []int64    // after each change that was begun
	acknowledged int        // the last of counts that was acknowledged
}

// read reads the piece once and reports whether the answer is one that held at
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
		t.Errorf("stale: piece %d shows %d (%s), acknowledged before were %d, since then %v", h.id, got, source, h.counts[from], h.counts[from:])
	}
	return source
}

// change votes or takes back the vote of a person and tries until that is
// acknowledged.
func (h *history) change(t *testing.T, replica http.Handler, person int64, voted bool, token string) {
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
		if got := body[ballot](t, w, 200).NewVoteCount; got != want {
			t.Errorf("piece %d, person %d: %d counted, want %d", h.id, person, got, want)
		}
		break
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acknowledged = len(h.counts) - 1
}

// dawdler is a store whose answers may be a while old when they arrive.
type dawdler struct{ core.Store }

func (d dawdler) Product(ctx context.Context, id int64) (core.Product, error) {
	p, err := d.Store.Product(ctx, id)
	if rand.IntN(4) == 0 {
		<-time.After(rand.N(20 * time.Millisecond))
	}
	return p, err
}

// site is two replicas over one database and one Redis, each with a line of its
// own to Redis.
type site struct {
	server   *redistest.Server
	proxies  [2]*netfault.Proxy
	replicas [2]http.Handler
}

func newSite(t *testing.T, g *gallery, term time.Duration) *site {
	t.Helper()
	s := &site{server: redistest.Start(t)}
	for i := range s.replicas {
		s.proxies[i] = startProxy(t, s.server.Addr)
		cache := g.openCacheWith(t, "redis://"+s.proxies[i].Addr, 100*time.Millisecond, term)
		s.replicas[i] = g.serviceOn(dawdler{postgres.NewStore(g.db)}, cache)
	}
	return s
}

// disturb makes one fault and returns what ends it.
func (s *site) disturb(r *rand.Rand) (name string, mend func()) {
	proxy := s.proxies[r.IntN(2)]
	switch r.IntN(8) {
	case 0:
		proxy.Cut()
		return "one replica is cut off", proxy.Restore
	case 1:
		proxy.Block()
		return "one replica's data is held up", proxy.Restore
	case 2:
		proxy.Delay(2 * time.Second)
		return "slow for one replica", proxy.Restore
	case 3:
		s.server.Pause()
		return "paused", s.server.Resume
	case 4:
		s.server.Kill()
		return "killed", s.server.Restart
	case 5:
		s.server.Do("CONFIG SET maxmemory 1")
		return "full", func() { s.server.Do("CONFIG SET maxmemory 0") }
	default:
		s.server.Do("SAVE")
		return "to come back with old pieces", func() {
			s.server.Kill()
			s.server.Restart()
		}
	}
}

// TestNeverStale lets readers, voters and faults of Redis race through two
// replicas and checks each read. STALE_FOR is how long, STALE_SEED repeats the
// choices of faults, if not what the machine makes of them.
func TestNeverStale(t *testing.T) {
	t.Parallel()
	const pieces, people, readers, term = 3, 5, 3, 600 * time.Millisecond
	seed, last := rand.Uint64(), 10*time.Second
	if text := os.Getenv("STALE_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	if text := os.Getenv("STALE_FOR"); text != "" {
		last, _ = time.ParseDuration(text)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	g := newGallery(t)
	s := newSite(t, g, term)
	var changes atomic.Int64
	var sources sync.Map // of X-Cache, to how often
	var work sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), last)
	defer cancel()
	for range pieces {
		h := &history{id: g.piece(t, "Crane", day(1)), counts: []int64{0}}
		work.Go(func() {
			voted := [people]bool{}
			replica := s.replicas[0]
			for ctx.Err() == nil {
				i := rand.IntN(people)
				h.change(t, replica, int64(i)+1, voted[i], g.token(int64(i)+1))
				voted[i] = !voted[i]
				changes.Add(1)
				if rand.IntN(6) == 0 { // what nobody removes any more is there to be read
					replica = s.replicas[rand.IntN(2)]
					<-time.After(rand.N(2 * term))
				}
			}
		})
		for range readers {
			work.Go(func() {
				for ctx.Err() == nil && !t.Failed() {
					n, _ := sources.LoadOrStore(h.read(t, s.replicas[rand.IntN(2)]), new(atomic.Int64))
					n.(*atomic.Int64).Add(1)
				}
			})
		}
	}
	faults := map[string]int{}
	for ctx.Err() == nil {
		name, mend := s.disturb(r)
		<-time.After(time.Duration(r.Int64N(int64(400 * time.Millisecond))))
		mend()
		<-time.After(time.Duration(r.Int64N(int64(1500 * time.Millisecond))))
		faults[name]++
	}
	work.Wait()
	tally := map[string]int64{"changes": changes.Load()}
	for key, n := range sources.Range {
		tally[key.(string)] = n.(*atomic.Int64).Load()
	}
	t.Logf("STALE_SEED=%d: %v, faults %v", seed, tally, faults)
	if tally["hit"] == 0 || tally["miss"] == 0 || tally["bypass"] == 0 {
		t.Errorf("too little was tried: %v", tally)
	}
}
