package api_test

import (
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"craftista/product/internal/core"
	"craftista/product/internal/redistest"

	"github.com/alicebob/miniredis/v2"
)

func TestRedisGoesAndComes(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	server := redistest.Start(t)
	h := g.service(g.openCache(t, server.URL()))
	id := g.piece(t, "Crane", day(1))
	vote := func(person, want int64) {
		t.Helper()
		got := body[ballot](t, call(t, h, "POST", path(id, "/vote"), g.token(person)), 200)
		if got.NewVoteCount != want {
			t.Errorf("count %d, want %d", got.NewVoteCount, want)
		}
	}
	wantShown(t, h, id, 0, "miss")
	wantShown(t, h, id, 0, "hit")
	server.Kill()
	wantShown(t, h, id, 0, "bypass")
	vote(1, 1)
	wantShown(t, h, id, 1, "bypass")
	if w := call(t, h, "GET", "/readyz", ""); w.Code != 200 {
		t.Errorf("readyz without Redis: %d %s", w.Code, w.Body)
	}
	server.Restart()
	deadline := time.Now().Add(20 * time.Second)
	for source := ""; source != "hit"; {
		votes, now := show(t, h, id)
		if votes != 1 || time.Now().After(deadline) {
			t.Fatalf("%d shown (%s) once Redis is back", votes, now)
		}
		source = now
	}
	vote(2, 2)
	wantShown(t, h, id, 2, "miss")
	wantShown(t, h, id, 2, "hit")
}

// TestRedisOutOfReach has a Redis that refuses, one that accepts and says
// nothing, and one that cannot be dialled.
func TestRedisOutOfReach(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	g := newGallery(t)
	for name, addr := range map[string]string{
		"refuses": redistest.FreeAddr(t), "silent": silent.Addr().String(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := g.service(g.openImpatientCache(t, "redis://"+addr, 50*time.Millisecond))
			id := g.piece(t, "Crane", day(1))
			start := time.Now()
			wantShown(t, h, id, 0, "bypass")
			got := body[ballot](t, call(t, h, "POST", path(id, "/vote"), g.token(1)), 200)
			if got.NewVoteCount != 1 {
				t.Errorf("count %d", got.NewVoteCount)
			}
			wantShown(t, h, id, 1, "bypass")
			if took := time.Since(start); took > 3*time.Second { // 3 × 50 ms, and a busy machine
				t.Errorf("three requests took %v", took)
			}
		})
	}
}

// TestDatabaseAway: what is cached still answers, the rest is 503 and tells
// nothing of the inside.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	g, proxy := newGallery(t).proxied(t)
	h := g.service(g.openCache(t, "redis://"+miniredis.RunT(t).Addr()))
	id := g.piece(t, "Crane", day(1))
	wantShown(t, h, id, 0, "miss")
	proxy.Cut()
	wantShown(t, h, id, 0, "hit")
	for _, row := range [][2]string{
		{"GET", "/api/products"}, {"GET", path(id+1, "")}, {"GET", path(id, "/votes")},
		{"POST", path(id, "/vote")}, {"DELETE", path(id, "/vote")}, {"GET", "/api/votes/mine?ids=1"},
	} {
		w := call(t, h, row[0], row[1], g.token(1))
		checkProblem(t, w, 503, strings.Split(row[1], "?")[0])
		if w.Header().Get("Retry-After") == "" || leaks(w) {
			t.Errorf("%v: header %v, body %s", row, w.Header(), w.Body)
		}
	}
	wantShown(t, h, id, 0, "hit") // a vote that failed has not emptied the cache
	if w := call(t, h, "GET", "/readyz", ""); w.Code != 503 || !strings.HasPrefix(w.Body.String(), `{"status":"unready","checks":{"database":"down"},`) {
		t.Errorf("readyz: %d %s", w.Code, w.Body)
	}
	if w := call(t, h, "GET", "/livez", ""); w.Code != 200 {
		t.Errorf("livez: %d", w.Code)
	}
}

func TestBrokenDatabaseTellsNothing(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	admin := open(t, g.adminURL)
	if _, err := admin.ExecContext(t.Context(), `ALTER TABLE product.products RENAME COLUMN folds TO creases`); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/api/products", path(1, ""), path(1, "/votes")} {
		w := call(t, h, "GET", target, "")
		checkProblem(t, w, 500, target)
		if leaks(w) {
			t.Errorf("%s tells of the inside: %s", target, w.Body)
		}
	}
	if _, err := admin.ExecContext(t.Context(), `DROP TABLE product.products CASCADE`); err != nil {
		t.Fatal(err)
	}
	if w := call(t, h, "GET", "/readyz", ""); w.Code != 503 || leaks(w) {
		t.Errorf("readyz without the tables: %d %s", w.Code, w.Body)
	}
}

func leaks(w *httptest.ResponseRecorder) bool {
	text := strings.ToLower(w.Body.String())
	for _, inside := range []string{"pq:", "sql", "select", "relation", "dial", "127.0.0.1", "secret", "product.products"} {
		if strings.Contains(text, inside) {
			return true
		}
	}
	return false
}

func TestKeysAway(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	g.issuer.Down.Store(true)
	h := g.service(core.NoCache{})
	id := g.piece(t, "Crane", day(1))
	w := call(t, h, "POST", path(id, "/vote"), g.token(1))
	checkProblem(t, w, 503, path(id, "/vote"))
	if w.Header().Get("Retry-After") != "1" || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("header %v", w.Header())
	}
	wantShown(t, h, id, 0, "bypass")
	for _, target := range []string{"/api/products", path(id, "/votes"), "/readyz"} {
		if w := call(t, h, "GET", target, ""); w.Code != 200 {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}
