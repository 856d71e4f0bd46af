package pg_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/shared/netfault"
	"craftista/shared/pg"
	"craftista/shared/telemetry"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func open(t *testing.T, tel *telemetry.Telemetry) *sqlx.DB {
	t.Helper()
	db, err := pg.Open(pgtest.New(t).AdminURL, tel)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	const table = `CREATE TABLE sheets (side int CONSTRAINT sheets_side_key UNIQUE DEFERRABLE INITIALLY DEFERRED)`
	if _, err := db.ExecContext(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	return db
}

func insert(ctx context.Context, side int) func(*sqlx.Tx) error {
	return func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sheets (side) VALUES ($1)`, side)
		return err
	}
}

func count(t *testing.T, db *sqlx.DB) (n int) {
	t.Helper()
	if err := db.GetContext(t.Context(), &n, `SELECT count(*) FROM sheets`); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestInTxCommitsAllOrNothing(t *testing.T) {
	t.Parallel()
	db := open(t, telemetry.Discard())
	if err := pg.InTx(t.Context(), db, insert(t.Context(), 15)); err != nil || count(t, db) != 1 {
		t.Errorf("commit: %v, %d rows", err, count(t, db))
	}

	refused := errors.New("refused")
	err := pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		if err := insert(t.Context(), 20)(tx); err != nil {
			return err
		}
		return refused
	})
	if !errors.Is(err, refused) || count(t, db) != 1 {
		t.Errorf("error: %v, %d rows", err, count(t, db))
	}

	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic does not go on")
			}
		}()
		_ = pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error { panic(insert(t.Context(), 25)(tx)) })
	}()
	if got := count(t, db); got != 1 {
		t.Errorf("panic: %d rows", got)
	}
	if open := db.Stats().InUse; open != 0 {
		t.Errorf("%d connections still in use", open)
	}
}

// TestFailedCommitIsAnError breaks a rule that PostgreSQL checks only at the commit.
func TestFailedCommitIsAnError(t *testing.T) {
	t.Parallel()
	db := open(t, telemetry.Discard())
	err := pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		return errors.Join(insert(t.Context(), 15)(tx), insert(t.Context(), 15)(tx))
	})
	if pg.Violated(err) != "sheets_side_key" || !strings.Contains(err.Error(), "commit transaction") {
		t.Errorf("got %v, want the broken constraint, found by the commit", err)
	}
	if got := count(t, db); got != 0 {
		t.Errorf("%d rows", got)
	}
	if got := pg.Violated(errors.New("other")); got != "" {
		t.Errorf("another error violates %q", got)
	}
}

func TestQueriesAreSpans(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	tel, err := telemetry.New(t.Context(), "test", "", telemetry.Options{Exporter: spans, SQLComments: true})
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, tel)
	spans.Reset()
	ctx, parent := tel.Traces.Tracer("test").Start(t.Context(), "parent")
	var comment string
	if err := db.GetContext(ctx, &comment, `SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()`); err != nil {
		t.Fatal(err)
	}
	parent.End()
	if !strings.Contains(comment, "traceparent='00-"+telemetry.TraceID(ctx)) {
		t.Errorf("the server sees %q, without the trace", comment)
	}
	for _, s := range spans.GetSpans() {
		if s.Name != "parent" && s.Parent.SpanID() == parent.SpanContext().SpanID() {
			return
		}
	}
	t.Errorf("no span of the query among %v", spans.GetSpans())
}

func TestBadURLIsNotRepeated(t *testing.T) {
	t.Parallel()
	_, err := pg.Open("postgres://me:hunter2@[broken/db", telemetry.Discard())
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

// TestSettingsOfASession has a database whose own are others: to compile a query on
// a large table takes longer than the query, and times come in the session's zone.
func TestSettingsOfASession(t *testing.T) {
	t.Parallel()
	db := open(t, telemetry.Discard())
	const tokyo = `
		DO $$ BEGIN
			EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Tokyo''', current_database());
		END $$`
	if _, err := db.ExecContext(t.Context(), tokyo); err != nil {
		t.Fatal(err)
	}
	db.SetMaxIdleConns(0) // the next query is a new session
	var got struct {
		JIT string
		At  time.Time
	}
	const query = `SELECT current_setting('jit') AS jit, timestamptz '2026-01-02 03:04:05+02' AS at`
	if err := db.GetContext(t.Context(), &got, query); err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC); got.JIT != "off" || got.At != want {
		t.Errorf("jit is %q, the time %v, want off and %v", got.JIT, got.At, want)
	}
}

// TestUnresponsiveServerIsUnavailable is a database whose machine hangs: it accepts connections and does not respond.
func TestUnresponsiveServerIsUnavailable(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t).AdminURL
	proxy := netfault.New(url)
	t.Cleanup(proxy.Close)
	db, err := pg.Open(proxy.URL(url), telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	proxy.Block()
	for _, when := range []string{"in the middle of a query", "in the handshake"} {
		start := time.Now()
		var one int
		err := db.GetContext(t.Context(), &one, `SELECT 1`)
		if !pg.Unavailable(err) || !pg.Unreachable(err) {
			t.Errorf("%s: got %v after %v, want one that says unreachable", when, err, time.Since(start))
		}
	}
}

func TestErrorsOfAServerThatCannotServe(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name                     string
		err                      error
		unreachable, unavailable bool
	}{
		{"none", nil, false, false},
		{"network", &net.OpError{Op: "dial", Err: errors.New("refused")}, true, true},
		{"broken connection", driver.ErrBadConn, true, true},
		{"disconnected in a handshake", io.EOF, true, true},
		{"connection does not exist", &pq.Error{Code: "08003"}, true, true},
		{"stops", &pq.Error{Code: "57P01"}, true, true},
		{"deadline", context.DeadlineExceeded, false, true},
		{"too many connections", &pq.Error{Code: "53300"}, false, true},
		{"no such role", &pq.Error{Code: "28000"}, false, true},
		{"no schema", &pq.Error{Code: "3F000"}, false, true},
		{"no table", &pq.Error{Code: "42P01"}, false, true},
		{"broken constraint", &pq.Error{Code: "23505"}, false, false},
		{"query cancelled", &pq.Error{Code: "57014"}, false, true},
		{"starts", &pq.Error{Code: "57P03"}, true, true},
		{"read-only", &pq.Error{Code: "25006"}, false, true},
		{"disk full", &pq.Error{Code: "53100"}, false, true},
		{"out of memory", &pq.Error{Code: "53200"}, false, true},
		{"disk fails", &pq.Error{Code: "58030"}, false, true},
		{"deadlock", &pq.Error{Code: "40P01"}, false, true},
		{"no lock in time", &pq.Error{Code: "55P03"}, false, true},
		{"transaction took too long", &pq.Error{Code: "25P04"}, false, true},
		{"no database", &pq.Error{Code: "3D000"}, false, true},
		{"no such column", &pq.Error{Code: "42703"}, false, false},
		{"aborted transaction", &pq.Error{Code: "25P02"}, false, false},
		{"caller cancelled", context.Canceled, false, false},
	} {
		err := row.err
		if err != nil {
			err = fmt.Errorf("query: %w", err)
		}
		if pg.Unreachable(err) != row.unreachable || pg.Unavailable(err) != row.unavailable {
			t.Errorf("%s: unreachable %t, unavailable %t", row.name, pg.Unreachable(err), pg.Unavailable(err))
		}
	}
}
