package api_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"craftista/product/internal/core"
	"craftista/shared/netfault"
	"craftista/shared/waittest"

	"github.com/alicebob/miniredis/v2"
	"github.com/jmoiron/sqlx"
)

// faulty is a gallery whose service reaches PostgreSQL through a proxy, with one
// product that is in the cache and one that is not.
type faulty struct {
	*gallery
	t      *testing.T
	proxy  *netfault.Proxy
	h      http.Handler
	cached int64
	other  int64
}

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	f := &faulty{gallery: newGallery(t), t: t}
	f.cached, f.other = f.addProduct(t, "Crane", day(1)), f.addProduct(t, "Frog", day(1))
	redis := "redis://" + miniredis.RunT(t).Addr()
	wantShown(t, f.service(f.openCache(t, redis)), f.cached, 0, "miss")
	proxied, proxy := f.proxied(t)
	f.proxy = proxy
	f.h = proxied.service(proxied.openCache(t, redis))
	return f
}

// wantWell checks that readers and voters get what they want; the user votes
// for the product that is not cached, which nobody else has.
func (f *faulty) wantWell(userID int64) {
	f.t.Helper()
	wantShown(f.t, f.h, f.cached, 0, "hit")
	for _, row := range f.needDatabase() {
		if w := call(f.t, f.h, row[0], row[1], f.token(userID)); w.Code != 200 {
			f.t.Errorf("%v: %d %s", row, w.Code, w.Body)
		}
	}
	if got := f.voters(f.t, f.other); got != 0 {
		f.t.Errorf("%d votes are left", got)
	}
}

// wantUnavailable checks, all at once, that the cached product still answers and
// that the rest is refused: 503, when to try again, and nothing of the inside.
func (f *faulty) wantUnavailable(userID int64) {
	f.t.Helper()
	wantShown(f.t, f.h, f.cached, 0, "hit")
	rows := slices.Repeat(f.needDatabase(), 8)
	replies := make([]*httptest.ResponseRecorder, len(rows))
	atOnce(len(rows), func(i int) { replies[i] = call(f.t, f.h, rows[i][0], rows[i][1], f.token(userID)) })
	for i, w := range replies {
		checkProblem(f.t, w, 503, strings.Split(rows[i][1], "?")[0])
		if w.Header().Get("Retry-After") == "" || leaks(w) {
			f.t.Errorf("%v: header %v, body %s", rows[i], w.Header(), w.Body)
		}
	}
	if w := call(f.t, f.h, "GET", "/livez", ""); w.Code != 200 {
		f.t.Errorf("livez: %d", w.Code)
	}
	wantShown(f.t, f.h, f.cached, 0, "hit") // votes that failed have not emptied the cache
}

func (f *faulty) needDatabase() [][2]string {
	return [][2]string{
		{"POST", path(f.other, "/vote")}, {"DELETE", path(f.other, "/vote")},
		{"GET", "/api/products"}, {"GET", "/api/votes/mine"}, {"GET", "/api/votes/mine?ids=1"},
	}
}

// TestDatabaseUnreachable: connections that stood break, new ones are refused,
// and once it can be reached again nobody has to restart anything.
func TestDatabaseUnreachable(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	f.wantWell(1)
	for range 2 {
		f.proxy.Cut()
		f.wantUnavailable(2)
		w := call(t, f.h, "GET", "/readyz", "")
		const want = `{"status":"unready","checks":{"database":"down"},`
		if w.Code != 503 || !strings.HasPrefix(w.Body.String(), want) {
			t.Errorf("readyz: %d %s", w.Code, w.Body)
		}
		f.proxy.Restore()
		f.wantWell(3)
	}
}

// TestDatabaseUnresponsive: it hangs, in a handshake or with a query begun, and
// counts as unavailable; so do votes that waited behind the one that hung.
func TestDatabaseUnresponsive(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	f.wantWell(1)
	f.proxy.Block()
	f.wantUnavailable(2)
	f.proxy.Restore()
	// Connections that were begun meanwhile still have to be given up.
	waittest.Until(t, "votes", func() bool {
		return call(t, f.h, "DELETE", path(f.other, "/vote"), f.token(3)).Code == 200
	})
	f.wantWell(3)
}

// TestDatabaseOutOfConnections: another client has them all.
func TestDatabaseOutOfConnections(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	admin := open(t, f.adminURL)
	var name string
	if err := admin.GetContext(t.Context(), &name, `SELECT current_database()`); err != nil {
		t.Fatal(err)
	}
	limit := func(n string) {
		admin.MustExecContext(t.Context(), `ALTER DATABASE `+name+` CONNECTION LIMIT `+n)
	}
	limit("8")
	f.db.SetMaxIdleConns(0) // the test's own connections end
	wantShown(t, f.h, f.cached, 0, "hit")
	const caches = 2 // each keeps its connection for reading the generation
	greedy := open(t, f.url)
	var held []*sqlx.Conn
	for others := caches + 1; others > caches; {
		c, err := greedy.Connx(t.Context())
		if err == nil {
			held = append(held, c)
			continue
		}
		if err := admin.GetContext(t.Context(), &others, `
			SELECT count(*) - $1 - 1 FROM pg_stat_activity WHERE datname = current_database()`, len(held)); err != nil {
			t.Fatal(err)
		}
	}
	f.wantUnavailable(1)
	for _, c := range held {
		_ = c.Close()
	}
	_ = greedy.Close()
	limit("-1")
	f.wantWell(1)
}

// TestUncertainCommit cuts the connection when PostgreSQL has begun to commit. It
// goes on and commits; the voter is told that nobody knows, the cached
// product is removed, and voting again changes nothing.
func TestUncertainCommit(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	admin := open(t, f.adminURL)
	const slowCommit = `
		CREATE FUNCTION product.wait() RETURNS trigger LANGUAGE plpgsql
		    AS 'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END';
		CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON product.votes DEFERRABLE INITIALLY DEFERRED
		    FOR EACH ROW EXECUTE FUNCTION product.wait()`
	admin.MustExecContext(t.Context(), slowCommit)
	tx := admin.MustBeginTx(t.Context(), nil)
	tx.MustExecContext(t.Context(), `SELECT pg_advisory_xact_lock(7)`)
	told := make(chan *httptest.ResponseRecorder, 1)
	go func() { told <- call(t, f.h, "POST", path(f.cached, "/vote"), f.token(1)) }()
	await(t, admin, 1)
	f.proxy.Cut()
	w := <-told
	checkProblem(t, w, 503, path(f.cached, "/vote"))
	if !strings.Contains(w.Body.String(), "this was done or not") || w.Header().Get("Retry-After") == "" {
		t.Errorf("header %v, body %s", w.Header(), w.Body)
	}
	f.proxy.Restore()
	wantShown(t, f.h, f.cached, 0, "miss")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	await(t, admin, 0)
	f.vote(t, f.h, f.cached, 1, 1)
	wantShown(t, f.h, f.cached, 1, "miss")
	if got := f.voters(t, f.cached); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

// await waits until so many sessions wait for a lock.
func await(t *testing.T, admin *sqlx.DB, want int) {
	t.Helper()
	const waiting = `
		SELECT count(*)
		  FROM pg_stat_activity
		 WHERE datname = current_database()
		   AND wait_event_type = 'Lock'`
	waittest.Until(t, strconv.Itoa(want)+" sessions that wait for a lock", func() bool {
		var got int
		if err := admin.GetContext(t.Context(), &got, waiting); err != nil {
			t.Fatal(err)
		}
		return got == want
	})
}

// TestLockedProduct: somebody's open transaction holds a product. Its voters are
// refused in time and leave nothing behind, those of other products vote.
func TestLockedProduct(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	locked, free := g.addProduct(t, "Crane", day(1)), g.addProduct(t, "Frog", day(1))
	admin := open(t, g.adminURL)
	tx := admin.MustBeginTx(t.Context(), nil)
	tx.MustExecContext(t.Context(), `UPDATE product.products SET name = 'Held' WHERE id = $1`, locked)
	refused := make([]*httptest.ResponseRecorder, 32)
	atOnce(len(refused), func(i int) {
		body[voteReply](t, call(t, h, "POST", path(free, "/vote"), g.token(int64(i+1))), 200)
		refused[i] = call(t, h, "POST", path(locked, "/vote"), g.token(int64(i+1)))
	})
	for _, w := range refused {
		checkProblem(t, w, 503, path(locked, "/vote"))
	}
	await(t, admin, 0)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	g.vote(t, h, locked, 1, 1)
	if got := g.voters(t, locked); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
	if got := g.voters(t, free); got != int64(len(refused)) {
		t.Errorf("%d votes for the free product, want %d", got, len(refused))
	}
}

// TestDatabaseStatesThatPass has PostgreSQL answer as it does in each of them.
func TestDatabaseStatesThatPass(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	id := g.addProduct(t, "Crane", day(1))
	admin := open(t, g.adminURL)
	for _, state := range []string{
		"57014", "25006", "57P01", "57P02", "57P03", "53100", "53200", "53300", "40P01", "55P03", "58030",
	} {
		admin.MustExecContext(t.Context(), `
			CREATE OR REPLACE FUNCTION product.fail() RETURNS trigger LANGUAGE plpgsql
			    AS 'BEGIN RAISE EXCEPTION ''secret'' USING ERRCODE = ''`+state+`''; END';
			CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON product.votes
			    FOR EACH STATEMENT EXECUTE FUNCTION product.fail()`)
		w := call(t, h, "POST", path(id, "/vote"), g.token(1))
		checkProblem(t, w, 503, path(id, "/vote"))
		if w.Header().Get("Retry-After") == "" || leaks(w) {
			t.Errorf("%s: header %v, body %s", state, w.Header(), w.Body)
		}
	}
	admin.MustExecContext(t.Context(), `DROP FUNCTION product.fail CASCADE`)
	g.vote(t, h, id, 1, 1)
}

// TestCancelledStatementIsUnavailable: an operator cancels a query that hangs.
func TestCancelledStatementIsUnavailable(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	admin := open(t, g.adminURL)
	tx := admin.MustBeginTx(t.Context(), nil)
	tx.MustExecContext(t.Context(), `LOCK TABLE product.products`)
	listed := make(chan *httptest.ResponseRecorder, 1)
	go func() { listed <- call(t, h, "GET", "/api/products", "") }()
	await(t, admin, 1)
	admin.MustExecContext(t.Context(), `
		SELECT pg_cancel_backend(pid)
		  FROM pg_stat_activity
		 WHERE datname = current_database()
		   AND wait_event_type = 'Lock'`)
	w := <-listed
	checkProblem(t, w, 503, "/api/products")
	if w.Header().Get("Retry-After") == "" {
		t.Errorf("header %v", w.Header())
	}
}

func TestBrokenDatabaseTellsNothing(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	admin := open(t, g.adminURL)
	admin.MustExecContext(t.Context(), `ALTER TABLE product.products RENAME COLUMN folds TO creases`)
	for _, target := range []string{"/api/products", path(1, ""), path(1, "/votes")} {
		w := call(t, h, "GET", target, "")
		checkProblem(t, w, 500, target)
		if leaks(w) {
			t.Errorf("%s tells of the inside: %s", target, w.Body)
		}
	}
	admin.MustExecContext(t.Context(), `DROP TABLE product.products CASCADE`)
	if w := call(t, h, "GET", "/readyz", ""); w.Code != 503 || leaks(w) {
		t.Errorf("readyz without the tables: %d %s", w.Code, w.Body)
	}
}

func leaks(w *httptest.ResponseRecorder) bool {
	text := strings.ToLower(w.Body.String())
	for _, inside := range []string{
		"pq:", "sql", "select", "relation", "dial", "127.0.0.1", "secret", "product.products",
	} {
		if strings.Contains(text, inside) {
			return true
		}
	}
	return false
}
