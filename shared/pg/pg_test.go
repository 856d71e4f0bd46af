package pg_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"craftista/db/pgtest"
	"craftista/shared/pg"
	"craftista/shared/telemetry"

	"github.com/jmoiron/sqlx"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func open(t *testing.T, tel *telemetry.Telemetry) *sqlx.DB {
	t.Helper()
	db, err := pg.Open(pgtest.New(t).AdminURL, tel)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE sheets (side int CONSTRAINT sheets_side_key UNIQUE DEFERRABLE INITIALLY DEFERRED)`); err != nil {
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

func TestInTxKeepsAllOrNothing(t *testing.T) {
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
				t.Error("the panic is gone")
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

// TestFailedCommitIsAnError breaks a rule that PostgreSQL looks at only when it
// commits.
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
	tel, err := telemetry.New(t.Context(), "paper", "", telemetry.Options{Exporter: spans})
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

// TestQueriesAreNotCompiled: on a large table that takes longer than the query.
func TestQueriesAreNotCompiled(t *testing.T) {
	t.Parallel()
	var got string
	if err := open(t, telemetry.Discard()).GetContext(t.Context(), &got, `SHOW jit`); err != nil || got != "off" {
		t.Errorf("jit is %q, %v", got, err)
	}
}
