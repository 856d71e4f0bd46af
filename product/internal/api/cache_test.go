package api_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"craftista/product/internal/core"
	"craftista/product/internal/infrastructure/cache"
	"craftista/product/internal/infrastructure/postgres"
	"craftista/product/redistest"
	"craftista/shared/netfault"
	"craftista/shared/waittest"
)

// show reads a product and returns its count and X-Cache.
func show(t *testing.T, h http.Handler, id int64) (votes int64, source string) {
	t.Helper()
	w := call(t, h, "GET", path(id, ""), "")
	return body[product](t, w, 200).Votes, w.Header().Get("X-Cache")
}

func wantShown(t *testing.T, h http.Handler, id, votes int64, source string) {
	t.Helper()
	if gotVotes, gotSource := show(t, h, id); gotVotes != votes || gotSource != source {
		t.Errorf("shown %d (%s), want %d (%s)", gotVotes, gotSource, votes, source)
	}
}

// shownUntil reads until the source is that, and every count has to be right.
func shownUntil(t *testing.T, h http.Handler, id, votes int64, source string) {
	t.Helper()
	waittest.Until(t, "a "+source, func() bool {
		got, from := show(t, h, id)
		if got != votes {
			t.Fatalf("shown %d (%s), want %d", got, from, votes)
		}
		return from == source
	})
}

func (g *gallery) vote(t *testing.T, h http.Handler, productID, userID, want int64) {
	t.Helper()
	got := body[voteReply](t, call(t, h, "POST", path(productID, "/vote"), g.token(userID)), 200)
	if got.NewVoteCount != want {
		t.Errorf("count %d, want %d", got.NewVoteCount, want)
	}
}

// TestRedisUnreachable has a Redis that refuses connections and one that accepts
// them and does not respond, from the start: all works, and the service is ready.
func TestRedisUnreachable(t *testing.T) {
	t.Parallel()
	unresponsive, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unresponsive.Close() })
	g := newGallery(t)
	for name, addr := range map[string]string{
		"refuses": redistest.FreeAddr(t), "unresponsive": unresponsive.Addr().String(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := g.service(g.openCacheWith(t, cache.Options{RedisURL: "redis://" + addr, RedisTimeout: 50 * time.Millisecond}))
			id := g.addProduct(t, "Crane", day(1))
			wantShown(t, h, id, 0, "bypass")
			g.vote(t, h, id, 1, 1)
			wantShown(t, h, id, 1, "bypass")
			waittest.Until(t, "it is ready", func() bool { return call(t, h, "GET", "/readyz", "").Code == 200 })
		})
	}
}

// TestVoteWithoutInvalidation: one replica votes while it cannot reach Redis; the
// other can, and has what was cached before.
func TestVoteWithoutInvalidation(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(*netfault.Proxy){
		"cut off": (*netfault.Proxy).Cut,
		"blocked": (*netfault.Proxy).Block,
		"slow":    func(p *netfault.Proxy) { p.Delay(2 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGallery(t)
			r := newReplicas(t, g, cache.DefaultFenceDuration/3)
			apart, other := r.services[0], r.services[1]
			id := g.addProduct(t, "Crane", day(1))
			shownUntil(t, other, id, 0, "hit")
			disturb(r.proxies[0])
			g.vote(t, apart, id, 1, 1)
			shownUntil(t, apart, id, 1, "bypass")
			shownUntil(t, other, id, 1, "bypass")
			g.vote(t, apart, id, 2, 2)
			shownUntil(t, other, id, 2, "hit") // once the fence is over, of a newer generation
			shownUntil(t, apart, id, 2, "bypass")
			r.proxies[0].Restore()
			shownUntil(t, apart, id, 2, "hit")
			g.vote(t, apart, id, 3, 3)
			shownUntil(t, other, id, 3, "hit")
		})
	}
}

// TestRedisRestartsFromAnOldSnapshot: it had removed the product, which is back.
func TestRedisRestartsFromAnOldSnapshot(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	r := newReplicas(t, g, cache.DefaultFenceDuration)
	id := g.addProduct(t, "Crane", day(1))
	for round := range int64(3) {
		shownUntil(t, r.services[0], id, round, "hit")
		r.server.Do("SAVE")
		g.vote(t, r.services[1], id, round+1, round+1)
		r.server.Kill()
		r.server.Restart()
		shownUntil(t, r.services[1], id, round+1, "hit")
		shownUntil(t, r.services[0], id, round+1, "hit")
	}
}

// TestRedisFull stores nothing new, and removes what it has.
func TestRedisFull(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	r := newReplicas(t, g, cache.DefaultFenceDuration)
	cached, other := g.addProduct(t, "Crane", day(1)), g.addProduct(t, "Frog", day(1))
	shownUntil(t, r.services[0], cached, 0, "hit")
	r.server.Do("CONFIG SET maxmemory 1")
	wantShown(t, r.services[1], cached, 0, "hit")
	wantShown(t, r.services[0], other, 0, "bypass")
	g.vote(t, r.services[0], cached, 1, 1)
	wantShown(t, r.services[1], cached, 1, "bypass")
	r.server.Do("CONFIG SET maxmemory 0")
	shownUntil(t, r.services[0], other, 0, "hit")
	shownUntil(t, r.services[1], cached, 1, "hit")
}

// cutAfterVote is a store that is unreachable as soon as a vote is committed.
type cutAfterVote struct {
	core.Store
	proxy *netfault.Proxy
}

func (c cutAfterVote) Vote(ctx context.Context, productID int64, userIDs []int64) (int64, error) {
	defer c.proxy.Cut()
	return c.Store.Vote(ctx, productID, userIDs)
}

// TestVoteWithoutInvalidationAndFence: Redis cannot be reached, and after the
// commit the database cannot either. The vote is not acknowledged.
func TestVoteWithoutInvalidationAndFence(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	g, proxy := newGallery(t).proxied(t)
	cached := g.openCacheWith(t, cache.Options{RedisURL: server.URL(), RedisTimeout: shortTimeout})
	h := g.serviceOn(cutAfterVote{postgres.NewStore(g.db), proxy}, cached)
	id := g.addProduct(t, "Crane", day(1))
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
	again := g.service(cached)
	g.vote(t, again, id, 1, 1) // which does no harm
	shownUntil(t, again, id, 1, "hit")
}

// TestUnresponsiveRedisDelaysFewReaders: once the breaker is open, readers send
// Redis nothing, and hence wait for nothing, but for one now and then.
func TestUnresponsiveRedisDelaysFewReaders(t *testing.T) {
	t.Parallel()
	const reads = 500
	g := newGallery(t)
	proxy := startProxy(t, redistest.Start(t).Addr)
	h := g.service(g.openCacheWith(t, cache.Options{RedisURL: "redis://" + proxy.Addr, RedisTimeout: shortTimeout}))
	id := g.addProduct(t, "Crane", day(1))
	shownUntil(t, h, id, 0, "hit")
	proxy.Block()
	start, before := time.Now(), proxy.Sent.Load()
	for range reads {
		wantShown(t, h, id, 0, "bypass")
	}
	took := time.Since(start)
	rounds := int64(3 + took/(500*time.Millisecond))         // until the breaker opens, and when it is half-open
	if sent := proxy.Sent.Load() - before; sent > 2*rounds { // each a connection and a command
		t.Errorf("%d reads in %v: %d chunks sent in %d rounds", reads, took, sent, rounds)
	}
	proxy.Restore()
	shownUntil(t, h, id, 0, "hit")
}
