package api_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"craftista/product/internal/core"
	"craftista/product/internal/infrastructure/postgres"
	"craftista/product/internal/redistest"

	"github.com/alicebob/miniredis/v2"
)

// stop is a store whose first Product waits, after it read, to be let go.
type stop struct {
	core.Store
	armed        atomic.Bool
	read, letGo  chan struct{}
	productReads atomic.Int64
}

func newStop(s core.Store) *stop {
	return &stop{Store: s, read: make(chan struct{}), letGo: make(chan struct{})}
}

func (s *stop) Product(ctx context.Context, id int64) (core.Product, error) {
	s.productReads.Add(1)
	p, err := s.Store.Product(ctx, id)
	if s.armed.CompareAndSwap(true, false) {
		close(s.read)
		<-s.letGo
	}
	return p, err
}

// show reads a piece and returns its count and X-Cache.
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

func TestCacheAside(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	memory := miniredis.RunT(t)
	counted := newStop(postgres.NewStore(g.db))
	one := g.serviceOn(counted, g.openCache(t, "redis://"+memory.Addr()))
	two := g.service(g.openCache(t, "redis://"+memory.Addr()))
	id := g.piece(t, "Crane", day(1))

	wantShown(t, one, id, 0, "miss")
	wantShown(t, one, id, 0, "hit")
	wantShown(t, two, id, 0, "hit")
	call(t, two, "POST", path(id, "/vote"), g.token(1))
	wantShown(t, one, id, 1, "miss")
	wantShown(t, two, id, 1, "hit")
	call(t, two, "POST", path(id, "/vote"), g.token(1)) // changes nothing, and forgets all the same
	wantShown(t, one, id, 1, "miss")
	call(t, one, "DELETE", path(id, "/vote"), g.token(1))
	wantShown(t, two, id, 0, "miss")
	wantShown(t, one, id, 0, "hit")
	memory.FastForward(time.Minute)
	wantShown(t, one, id, 0, "miss")
	if got := counted.productReads.Load(); got != 4 {
		t.Errorf("%d loads by the first service, want 4", got)
	}
}

// TestLoadFromBeforeAVoteIsNotKept: a reader has read the old count and
// dawdles, a vote is acknowledged, the reader goes on. Nobody who comes after
// the vote may see the old count, neither by the reader's load nor by the cache.
func TestLoadFromBeforeAVoteIsNotKept(t *testing.T) {
	t.Parallel()
	for _, othersRead := range []bool{false, true} {
		g := newGallery(t)
		url := redistest.Start(t).URL()
		dawdler := newStop(postgres.NewStore(g.db))
		one, two := g.serviceOn(dawdler, g.openCache(t, url)), g.service(g.openCache(t, url))
		id := g.piece(t, "Crane", day(1))

		dawdler.armed.Store(true)
		var early *httptest.ResponseRecorder
		var wg sync.WaitGroup
		wg.Go(func() { early = call(t, one, "GET", path(id, ""), "") })
		<-dawdler.read
		voted := body[ballot](t, call(t, two, "POST", path(id, "/vote"), g.token(1)), 200)
		if voted.NewVoteCount != 1 {
			t.Fatalf("count %d after the vote", voted.NewVoteCount)
		}
		if othersRead {
			wantShown(t, one, id, 1, "miss") // does not join the dawdler's load
			wantShown(t, two, id, 1, "hit")
		}
		close(dawdler.letGo)
		wg.Wait()
		if got := body[product](t, early, 200).Votes; got != 0 {
			t.Errorf("the dawdler shows %d: this test no longer tests what it says", got)
		}
		if votes, _ := show(t, one, id); votes != 1 {
			t.Errorf("others read %v: %d shown after the dawdler's load, want 1", othersRead, votes)
		}
		wantShown(t, two, id, 1, "hit")
	}
}

// TestReadersRaceVoters reads one piece in every way through two replicas while
// people vote through both. Votes only rise here: whoever starts to read after a
// vote was acknowledged must see it.
func TestReadersRaceVoters(t *testing.T) {
	t.Parallel()
	const voters, readers = 150, 8
	g := newGallery(t)
	url := redistest.Start(t).URL()
	services := []http.Handler{g.service(g.openCache(t, url)), g.service(g.openCache(t, url))}
	id := g.piece(t, "Crane", day(1))
	var acknowledged atomic.Int64
	var done atomic.Bool
	var sources sync.Map // of X-Cache

	read := func() {
		for !done.Load() {
			before := acknowledged.Load()
			w := call(t, services[rand.IntN(2)], "GET", path(id, []string{"", "", "", "/votes"}[rand.IntN(4)]), "")
			if got := body[struct{ Votes int64 }](t, w, 200).Votes; got < before {
				t.Errorf("%s shows %d when %d were acknowledged", w.Header().Get("X-Cache"), got, before)
			}
			sources.Store(w.Header().Get("X-Cache"), true)
		}
	}
	vote := func() {
		defer done.Store(true)
		for i := range int64(voters) {
			w := call(t, services[i%2], "POST", path(id, "/vote"), g.token(i+1))
			acknowledged.Store(body[ballot](t, w, 200).NewVoteCount)
		}
	}
	atOnce(1+readers, func(i int) { []func(){vote, read}[min(i, 1)]() })
	_, hit := sources.Load("hit")
	_, miss := sources.Load("miss")
	if acknowledged.Load() != voters || !hit || !miss {
		t.Errorf("%d votes, any hit %v, any miss %v", acknowledged.Load(), hit, miss)
	}
}

// TestMissesAtOnceLoadOnce: a thousand readers of a piece that is not cached run
// one query.
func TestMissesAtOnceLoadOnce(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	store := newStop(postgres.NewStore(g.db))
	h := g.serviceOn(store, g.openImpatientCache(t, redistest.Start(t).URL(), 5*time.Second))
	id := g.piece(t, "Crane", day(1))
	atOnce(1000, func(int) {
		w := call(t, h, "GET", path(id, ""), "")
		if source := w.Header().Get("X-Cache"); w.Code != 200 || source != "hit" && source != "miss" {
			t.Errorf("status %d, X-Cache %q", w.Code, source)
		}
	})
	if got := store.productReads.Load(); got != 1 {
		t.Errorf("%d loads, want 1", got)
	}
}
