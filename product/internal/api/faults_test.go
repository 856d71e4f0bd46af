package api_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"craftista/product/internal/core"
	"craftista/product/internal/infrastructure/postgres"
	"craftista/product/internal/redistest"
	"craftista/shared/netfault"
)

// shownUntil reads until the source is that, and every count has to be right.
func shownUntil(t *testing.T, h http.Handler, id, votes int64, source string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		got, from := show(t, h, id)
		if got != votes || time.Now().After(deadline) {
			t.Fatalf("shown %d (%s), want %d (%s)", got, from, votes, source)
		}
		if from == source {
			return
		}
	}
}

func (g *gallery) vote(t *testing.T, h http.Handler, id, person, want int64) {
	t.Helper()
	got := body[ballot](t, call(t, h, "POST", path(id, "/vote"), g.token(person)), 200)
	if got.NewVoteCount != want {
		t.Errorf("count %d, want %d", got.NewVoteCount, want)
	}
}

// TestVoteThatRedisDoesNotHear: one replica votes while its line to Redis is
// bad in some way; the other has what was cached before.
func TestVoteThatRedisDoesNotHear(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(*netfault.Proxy){
		"cut off": (*netfault.Proxy).Cut,
		"held up": (*netfault.Proxy).Block,
		"slow":    func(p *netfault.Proxy) { p.Delay(2 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGallery(t)
			s := newSite(t, g, core.VetoTerm/3)
			lost, well := s.replicas[0], s.replicas[1]
			id := g.piece(t, "Crane", day(1))
			shownUntil(t, well, id, 0, "hit")
			disturb(s.proxies[0])
			g.vote(t, lost, id, 1, 1)
			shownUntil(t, lost, id, 1, "bypass")
			shownUntil(t, well, id, 1, "bypass")
			g.vote(t, lost, id, 2, 2)
			shownUntil(t, well, id, 2, "hit") // once the veto is over, of a newer epoch
			shownUntil(t, lost, id, 2, "bypass")
			s.proxies[0].Restore()
			shownUntil(t, lost, id, 2, "hit")
			g.vote(t, lost, id, 3, 3)
			shownUntil(t, well, id, 3, "hit")
		})
	}
}

// TestRedisBackFromAnOldSnapshot: it heard of the vote and forgot.
func TestRedisBackFromAnOldSnapshot(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	s := newSite(t, g, core.VetoTerm)
	id := g.piece(t, "Crane", day(1))
	for round := range int64(3) {
		shownUntil(t, s.replicas[0], id, round, "hit")
		if got := s.server.Do("SAVE"); got != "+OK" {
			t.Fatal(got)
		}
		g.vote(t, s.replicas[1], id, round+1, round+1)
		s.server.Kill()
		s.server.Restart()
		shownUntil(t, s.replicas[1], id, round+1, "hit")
		shownUntil(t, s.replicas[0], id, round+1, "hit")
	}
}

// TestRedisFull keeps nothing new, and forgets what it has.
func TestRedisFull(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	s := newSite(t, g, core.VetoTerm)
	kept, other := g.piece(t, "Crane", day(1)), g.piece(t, "Frog", day(1))
	shownUntil(t, s.replicas[0], kept, 0, "hit")
	s.server.Do("CONFIG SET maxmemory 1")
	wantShown(t, s.replicas[1], kept, 0, "hit")
	wantShown(t, s.replicas[0], other, 0, "bypass")
	g.vote(t, s.replicas[0], kept, 1, 1)
	wantShown(t, s.replicas[1], kept, 1, "bypass")
	s.server.Do("CONFIG SET maxmemory 0")
	shownUntil(t, s.replicas[0], other, 0, "hit")
	shownUntil(t, s.replicas[1], kept, 1, "hit")
}

// TestDatabaseSilent: it accepts connections and says nothing. What is cached
// answers all the same, once it is clear that the database is gone.
func TestDatabaseSilent(t *testing.T) {
	t.Parallel()
	g, proxy := newGallery(t).proxied(t)
	h := g.service(g.openCache(t, redistest.Start(t).URL()))
	id := g.piece(t, "Crane", day(1))
	shownUntil(t, h, id, 0, "hit")
	proxy.Block()
	for range 3 {
		<-time.After(600 * time.Millisecond) // so that the last answer is too old
		wantShown(t, h, id, 0, "hit")
	}
	proxy.Restore()
	shownUntil(t, h, id, 0, "hit")
}

// cutAfterVote is a store that is lost as soon as a vote is committed.
type cutAfterVote struct {
	core.Store
	proxy *netfault.Proxy
}

func (c cutAfterVote) Vote(ctx context.Context, id int64, people []int64) (int64, error) {
	defer c.proxy.Cut()
	return c.Store.Vote(ctx, id, people)
}

// TestVoteThatNobodyWouldSee: Redis does not hear of it, and the database goes
// away before it can be told so. It is not acknowledged.
func TestVoteThatNobodyWouldSee(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	g, proxy := newGallery(t).proxied(t)
	cache := g.openImpatientCache(t, server.URL(), 100*time.Millisecond)
	h := g.serviceOn(cutAfterVote{postgres.NewStore(g.db), proxy}, cache)
	id := g.piece(t, "Crane", day(1))
	shownUntil(t, h, id, 0, "hit")
	server.Kill()
	w := call(t, h, "POST", path(id, "/vote"), g.token(1))
	checkProblem(t, w, 503, path(id, "/vote"))
	if w.Header().Get("Retry-After") == "" || leaks(w) {
		t.Errorf("header %v, body %s", w.Header(), w.Body)
	}
	proxy.Restore()
	if n := g.voters(t, id); n != 1 {
		t.Errorf("%d votes; this test no longer tests what it says", n)
	}
	server.Restart()
	again := g.service(cache)
	g.vote(t, again, id, 1, 1) // which does no harm
	shownUntil(t, again, id, 1, "hit")
}

// TestLostRedisHoldsNobodyUp: once a Redis that accepts and is silent counts as
// lost, readers send it nothing, and hence wait for nothing.
func TestLostRedisHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	proxy := startProxy(t, redistest.Start(t).Addr)
	h := g.service(g.openImpatientCache(t, "redis://"+proxy.Addr, 200*time.Millisecond))
	id := g.piece(t, "Crane", day(1))
	shownUntil(t, h, id, 0, "hit")
	proxy.Block()
	shownUntil(t, h, id, 0, "bypass")
	<-time.After(time.Second)
	start, before := time.Now(), proxy.Sent.Load()
	const reads = 500
	for range reads {
		wantShown(t, h, id, 0, "bypass")
	}
	took := time.Since(start)
	probes := proxy.Sent.Load() - before // by the background, a few each round
	if most := 10 + 4*int64(took/(100*time.Millisecond)); probes > most {
		t.Errorf("%d reads in %v sent %d pieces of data to a lost Redis, want at most %d", reads, took, probes, most)
	}
	proxy.Restore()
	shownUntil(t, h, id, 0, "hit")
}

// TestHerdWithoutRedis: many readers at once share two loads, the second for
// those who came when the first had begun; the few that a busy machine brings
// late share others.
func TestHerdWithoutRedis(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	store := newStop(postgres.NewStore(g.db))
	h := g.serviceOn(store, g.openCache(t, "redis://"+redistest.FreeAddr(t)))
	id := g.piece(t, "Crane", day(1))
	wantShown(t, h, id, 0, "bypass")
	store.productReads.Store(0)
	store.armed.Store(true)
	var arrived atomic.Int64
	go func() {
		<-store.read
		for arrived.Load() < 200 {
			<-time.After(time.Millisecond)
		}
		close(store.letGo)
	}()
	atOnce(200, func(int) {
		arrived.Add(1)
		if w := call(t, h, "GET", path(id, ""), ""); w.Code != 200 {
			t.Errorf("status %d", w.Code)
		}
	})
	if got := store.productReads.Load(); got > 20 {
		t.Errorf("%d loads", got)
	}
}
