package api_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/product/internal/core"
	"craftista/shared/netfault"
	"craftista/shared/token/tokentest"

	"github.com/alicebob/miniredis/v2"
	"github.com/jmoiron/sqlx"
)

// faulty is a gallery whose service reaches PostgreSQL through a proxy, with
// one piece that is in the cache and one that is not.
type faulty struct {
	*gallery
	t        *testing.T
	database *pgtest.Database
	proxy    *netfault.Proxy
	h        http.Handler
	cached   int64
	other    int64
}

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	database := pgtest.New(t)
	f := &faulty{
		gallery: &gallery{db: open(t, database.ProductURL), url: database.ProductURL, adminURL: database.AdminURL, issuer: tokentest.New(t)},
		t:       t, database: database, proxy: startProxy(t, database.ProductURL),
	}
	f.cached, f.other = f.piece(t, "Crane", day(1)), f.piece(t, "Frog", day(1))
	redis := "redis://" + miniredis.RunT(t).Addr()
	wantShown(t, f.service(f.openCache(t, redis)), f.cached, 0, "miss")
	url := f.proxy.URL(database.ProductURL)
	proxied := &gallery{db: open(t, url), url: url, issuer: f.issuer}
	f.h = proxied.service(proxied.openCache(t, redis))
	return f
}

// wantWell checks that readers and voters get what they want; the person votes
// for the piece that is not cached, which nobody else has.
func (f *faulty) wantWell(person int64) {
	f.t.Helper()
	wantShown(f.t, f.h, f.cached, 0, "hit")
	for _, row := range f.needDatabase() {
		if w := call(f.t, f.h, row[0], row[1], f.token(person)); w.Code != 200 {
			f.t.Errorf("%v: %d %s", row, w.Code, w.Body)
		}
	}
	if got := f.voters(f.t, f.other); got != 0 {
		f.t.Errorf("%d votes are left", got)
	}
}

// wantAway checks, all at once as a crowd would, that the cached piece still
// answers and that the rest is refused within so long: 503, when to try again,
// and nothing of the inside.
func (f *faulty) wantAway(person int64, within time.Duration) {
	f.t.Helper()
	wantShown(f.t, f.h, f.cached, 0, "hit")
	rows := slices.Repeat(f.needDatabase(), 8)
	start := time.Now()
	replies := make([]*httptest.ResponseRecorder, len(rows))
	atOnce(len(rows), func(i int) { replies[i] = call(f.t, f.h, rows[i][0], rows[i][1], f.token(person)) })
	for i, w := range replies {
		checkProblem(f.t, w, 503, strings.Split(rows[i][1], "?")[0])
		if w.Header().Get("Retry-After") == "" || leaks(w) {
			f.t.Errorf("%v: header %v, body %s", rows[i], w.Header(), w.Body)
		}
	}
	if took := time.Since(start); took > within {
		f.t.Errorf("it took %v to refuse them, want %v", took, within)
	}
	wantShown(f.t, f.h, f.cached, 0, "hit") // votes that failed have not emptied the cache
}

func (f *faulty) needDatabase() [][2]string {
	return [][2]string{
		{"POST", path(f.other, "/vote")}, {"DELETE", path(f.other, "/vote")}, {"GET", "/api/products"}, {"GET", path(f.other, "/votes")},
		{"GET", "/api/votes/mine"}, {"GET", "/api/votes/mine?ids=1"},
	}
}

// TestDatabaseGoesAndComes: connections that stood break, new ones are refused,
// and once it is back nobody has to restart anything.
func TestDatabaseGoesAndComes(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	f.wantWell(1)
	for range 2 {
		f.proxy.Cut()
		f.wantAway(2, 5*time.Second)
		f.proxy.Restore()
		f.wantWell(3)
	}
}

// TestDatabaseFallsSilent: it hangs, in a handshake or with a query begun, and
// is given up for away; votes that waited behind the one that hung, too.
func TestDatabaseFallsSilent(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	f.wantWell(1)
	f.proxy.Block()
	f.wantAway(2, 25*time.Second) // requests end after 10 s, connections after 5 s of silence
	f.proxy.Restore()
	// Connections that were begun in the silence still have to be given up.
	for end := time.Now().Add(15 * time.Second); call(t, f.h, "DELETE", path(f.other, "/vote"), f.token(3)).Code != 200; {
		if time.Now().After(end) {
			t.Fatal("votes do not come back")
		}
	}
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
		if _, err := admin.ExecContext(t.Context(), `ALTER DATABASE `+name+` CONNECTION LIMIT `+n); err != nil {
			t.Fatal(err)
		}
	}
	limit("8")
	f.db.SetMaxIdleConns(0) // the test's own connections end
	wantShown(t, f.h, f.cached, 0, "hit")
	const registers = 2 // each cache keeps the connection by which it knows what to believe
	greedy := open(t, f.database.ProductURL)
	var held []*sqlx.Conn
	for others := registers + 1; others > registers; {
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
	f.wantAway(1, 5*time.Second)
	for _, c := range held {
		_ = c.Close()
	}
	_ = greedy.Close()
	limit("-1")
	f.wantWell(1)
}

// TestUncertainCommit cuts the connection when PostgreSQL has begun to commit. It
// goes on and commits; the voter is told that nobody knows, the cache has let go
// of the piece, and voting again changes nothing.
func TestUncertainCommit(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	admin := open(t, f.adminURL)
	const slowCommit = `
		CREATE FUNCTION product.wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END';
		CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON product.votes DEFERRABLE INITIALLY DEFERRED
		    FOR EACH ROW EXECUTE FUNCTION product.wait()`
	if _, err := admin.ExecContext(t.Context(), slowCommit); err != nil {
		t.Fatal(err)
	}
	tx, err := admin.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), `SELECT pg_advisory_xact_lock(7)`); err != nil {
		t.Fatal(err)
	}
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
	if got := body[ballot](t, call(t, f.h, "POST", path(f.cached, "/vote"), f.token(1)), 200); got.NewVoteCount != 1 {
		t.Errorf("count %d, want 1", got.NewVoteCount)
	}
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
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
		var got int
		if err := admin.GetContext(t.Context(), &got, waiting); err != nil {
			t.Fatal(err)
		}
		if got == want {
			return
		}
	}
	t.Fatalf("never saw %d sessions wait for a lock", want)
}

// TestLockedPiece: somebody's open transaction holds a piece. Its voters are
// refused in time and leave nothing behind, those of other pieces vote.
func TestLockedPiece(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	locked, free := g.piece(t, "Crane", day(1)), g.piece(t, "Frog", day(1))
	admin := open(t, g.adminURL)
	tx, err := admin.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), `UPDATE product.products SET name = 'Held' WHERE id = $1`, locked); err != nil {
		t.Fatal(err)
	}
	refused := make([]*httptest.ResponseRecorder, 32)
	atOnce(len(refused), func(i int) {
		body[ballot](t, call(t, h, "POST", path(free, "/vote"), g.token(int64(i+1))), 200)
		refused[i] = call(t, h, "POST", path(locked, "/vote"), g.token(int64(i+1)))
	})
	for _, w := range refused {
		checkProblem(t, w, 503, path(locked, "/vote"))
	}
	await(t, admin, 0)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := body[ballot](t, call(t, h, "POST", path(locked, "/vote"), g.token(1)), 200); got.NewVoteCount != 1 || g.voters(t, locked) != 1 {
		t.Errorf("%d votes told, %d rows, want 1", got.NewVoteCount, g.voters(t, locked))
	}
	if got := g.voters(t, free); got != int64(len(refused)) {
		t.Errorf("%d votes for the free piece, want %d", got, len(refused))
	}
}
