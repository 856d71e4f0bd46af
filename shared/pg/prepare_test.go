package pg_test

import (
	"context"
	"fmt"
	"testing"

	"craftista/shared/pg"
	"craftista/shared/telemetry"

	"github.com/jmoiron/sqlx"
)

const sheetsOf = `SELECT side FROM sheets WHERE side = $1`

func sheets(ctx context.Context, t *testing.T, db sqlx.QueryerContext) {
	t.Helper()
	var sides []int
	if err := sqlx.SelectContext(ctx, db, &sides, sheetsOf, 15); err != nil || len(sides) != 1 || sides[0] != 15 {
		t.Errorf("got %v, %v; want the sheet", sides, err)
	}
}

// prepared is how many statements the only connection has prepared, and whether sheetsOf is one of them.
func prepared(t *testing.T, db *sqlx.DB) (n int, it bool) {
	t.Helper()
	var texts []string
	if err := db.SelectContext(t.Context(), &texts, `SELECT statement FROM pg_prepared_statements`); err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		it = it || text == sheetsOf
	}
	return len(texts), it
}

func openOne(t *testing.T) *sqlx.DB {
	t.Helper()
	db := open(t, telemetry.Discard())
	db.SetMaxOpenConns(1)
	if err := pg.InTx(t.Context(), db, insert(t.Context(), 15)); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestStatementsArePreparedOnce(t *testing.T) {
	t.Parallel()
	db := openOne(t)
	before, _ := prepared(t, db)
	sheets(pg.PlanEachTime(t.Context()), t, db)
	if n, it := prepared(t, db); n != before || it {
		t.Errorf("what is to be planned each time was prepared")
	}
	for range 3 {
		sheets(t.Context(), t, db)
	}
	err := pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		sheets(t.Context(), t, tx)
		return nil
	})
	if n, it := prepared(t, db); n != before+1 || !it || err != nil {
		t.Errorf("got %d statements more, %v; want one", n-before, err)
	}
}

// TestPreparedStatementsComeBack has a server that drops them, and one whose tables change.
func TestPreparedStatementsComeBack(t *testing.T) {
	t.Parallel()
	db := openOne(t)
	for _, change := range []string{`DISCARD ALL`, `ALTER TABLE sheets ALTER side TYPE bigint`} {
		sheets(t.Context(), t, db)
		if _, err := db.ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		sheets(t.Context(), t, db)
		sheets(t.Context(), t, db)
		if _, it := prepared(t, db); !it {
			t.Errorf("after %s it is not prepared again", change)
		}
	}
}

func TestPreparedStatementsAreBounded(t *testing.T) {
	t.Parallel()
	db := openOne(t)
	for i := range 150 {
		var got int
		if err := db.GetContext(t.Context(), &got, fmt.Sprintf(`SELECT %d + $1::int`, i), 1); err != nil || got != i+1 {
			t.Fatalf("got %d, %v; want %d", got, err, i+1)
		}
	}
	if n, _ := prepared(t, db); n != 100 {
		t.Errorf("got %d statements, want 100", n)
	}
}
