package db_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"craftista/db/pgtest"
)

const (
	products = 8
	people   = 30

	deleteVotes = `DELETE FROM product.votes WHERE person_id = $1`
)

// TestCountsNeverDrift has many sessions vote, take votes back, roll back, be killed, delete products, change many rows
// at once and tamper, all at the same time, and compares the counts with the rows, during it and afterwards.
func TestCountsNeverDrift(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	admin, product := open(t, d.AdminURL), open(t, d.ProductURL)
	product.SetMaxOpenConns(16)
	mustExec(t, admin, insertProducts, products)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for seed := range 16 {
		wg.Go(func() {
			for r := rand.New(rand.NewPCG(1, uint64(seed))); ctx.Err() == nil; {
				if err := disturb(ctx, product, r); err != nil && !expected(err) {
					t.Errorf("disturb: %v", err)
				}
			}
		})
	}
	wg.Go(func() {
		for r := rand.New(rand.NewPCG(2, 0)); ctx.Err() == nil; {
			if err := meddle(ctx, admin, r); err != nil && !expected(err) {
				t.Errorf("meddle: %v", err)
			}
			checkCounts(t, admin)
		}
	})
	wg.Wait()
	if total := checkCounts(t, admin); total == 0 {
		t.Error("no votes are left: the test tried nothing")
	}
}

// disturb does one to three things as the product service, and half the time keeps them.
func disturb(ctx context.Context, product *sql.DB, r *rand.Rand) error {
	tx, err := product.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	statements := []string{
		`INSERT INTO product.votes (person_id, product_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		`INSERT INTO product.votes (person_id, product_id) VALUES ($1, $2)`,
		`DELETE FROM product.votes WHERE person_id = $1 AND product_id = $2`,
		`DELETE FROM product.votes WHERE person_id = $1 OR product_id = $2`,
		`INSERT INTO product.votes (person_id, product_id)
		 SELECT person, p.id FROM product.products AS p, generate_series($1::bigint, $1::bigint + 5) AS person
		  WHERE p.id <> $2 ORDER BY random() ON CONFLICT DO NOTHING`,
		`WITH gone AS (DELETE FROM product.votes WHERE product_id = $2 AND person_id <> $1 RETURNING person_id)
		 INSERT INTO product.votes (person_id, product_id)
		 SELECT gone.person_id + 1000, $2 FROM gone ON CONFLICT DO NOTHING`,
		`UPDATE product.products SET name = 'Person ' || $1, updated_at = now() WHERE id = $2`,
		`UPDATE product.products SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() + $1 * interval '1 s' END
		  WHERE id = $2`,
		`UPDATE product.products SET votes = $1 WHERE id = $2`,
		`UPDATE product.votes SET product_id = $2 WHERE person_id = $1`,
	}
	for range 1 + r.IntN(3) {
		statement := statements[r.IntN(len(statements))]
		if _, err := tx.ExecContext(ctx, statement, 1+r.IntN(people), 1+r.IntN(products)); err != nil {
			return err
		}
	}
	if r.IntN(2) == 0 {
		return tx.Rollback()
	}
	return tx.Commit()
}

const insertProducts = `
	INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
	SELECT 'Product ' || n, 'Folded.', '/x.svg', 'easy', n, '15 cm'
	  FROM generate_series(1, $1::integer) AS n`

// meddle does one thing as the superuser: kill a session in whatever it is doing, replace a product, or tamper.
func meddle(ctx context.Context, admin *sql.DB, r *rand.Rand) error {
	statements := []string{
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		  WHERE datname = current_database() AND usename = 'craftista_product' AND $1 > 0 ORDER BY random() LIMIT 1`,
		`WITH gone AS (DELETE FROM product.products WHERE id = $1 RETURNING id)
		 INSERT INTO product.products (id, name, description, image_url, difficulty, folds, paper)
		 OVERRIDING SYSTEM VALUE
		 SELECT id + 1000, 'Again', 'Folded.', '/x.svg', 'easy', 1, '15 cm' FROM gone`,
		`INSERT INTO product.products (id, name, description, image_url, difficulty, folds, paper)
		 OVERRIDING SYSTEM VALUE VALUES ($1, 'Again', 'Folded.', '/x.svg', 'easy', 1, '15 cm')`,
		`UPDATE product.products SET votes = 100 WHERE id = $1`,
		`UPDATE product.votes SET person_id = person_id + 1 WHERE product_id = $1`,
		`INSERT INTO product.products (name, description, image_url, difficulty, folds, paper, votes)
		 VALUES ('Full', 'Folded.', '/x.svg', 'easy', 1, '15 cm', $1)`,
	}
	_, err := admin.ExecContext(ctx, statements[r.IntN(len(statements))], 1+r.IntN(products))
	return err
}

// expected tells the ends that this test provokes from real trouble.
func expected(err error) bool {
	if refusal, ok := errors.AsType[*pq.Error](err); ok {
		return slices.Contains([]pqerror.Code{
			"23505", // unique_violation: the vote is there
			"23503", // foreign_key_violation: the product was deleted
			"23000", // integrity_constraint_violation: product.refuse
			"42501", // insufficient_privilege
			"40P01", // deadlock_detected: several statements of one transaction, in opposing orders
			"57P01", // admin_shutdown: killed
			"57014", // query_canceled: the test is over
		}, refusal.Code)
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrTxDone) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// checkCounts compares every count with the rows, in one snapshot, and returns the sum.
func checkCounts(t *testing.T, pool *sql.DB) int {
	t.Helper()
	const query = `
		SELECT p.id, p.votes, (SELECT count(*) FROM product.votes AS v WHERE v.product_id = p.id)
		  FROM product.products AS p
		 ORDER BY p.id`
	rows, err := pool.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	total, counted, counts := 0, map[int64]int{}, map[int64]int{}
	for rows.Next() {
		var id int64
		var count, actual int
		if err := rows.Scan(&id, &count, &actual); err != nil {
			t.Fatal(err)
		}
		counts[id], counted[id], total = count, actual, total+actual
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(counts, counted); diff != "" {
		t.Errorf("votes of products differ from the rows of votes (-count +rows):\n%s", diff)
	}
	return total
}

// TestBulkStatementsInOpposingOrdersDoNotDeadlock runs single statements that touch all products, half of them upwards
// and half downwards, beside deletions of products. None may fail.
func TestBulkStatementsInOpposingOrdersDoNotDeadlock(t *testing.T) {
	t.Parallel()
	const rounds, sessions = 25, 8
	d := pgtest.New(t)
	admin, product := open(t, d.AdminURL), open(t, d.ProductURL)
	mustExec(t, admin, insertProducts, products)
	statements := []string{
		`INSERT INTO product.votes (person_id, product_id)
		 SELECT $1::bigint, n FROM generate_series(1, 7) AS n ORDER BY n`,
		`INSERT INTO product.votes (person_id, product_id)
		 SELECT $1::bigint, n FROM generate_series(1, 7) AS n ORDER BY n DESC`,
	}
	var wg sync.WaitGroup
	for person := range sessions {
		wg.Go(func() {
			for range rounds {
				if _, err := product.ExecContext(t.Context(), statements[person%2], person+1); err != nil {
					t.Errorf("vote for all: %v", err)
				}
				if _, err := product.ExecContext(t.Context(), deleteVotes, person+1); err != nil {
					t.Errorf("take all back: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if total := checkCounts(t, admin); total != 0 {
		t.Errorf("got %d votes, want none", total)
	}
}

// TestDeletingAProductDoesNotDeadlockWithItsVoters deletes products while people take all their votes back and vote
// anew.
func TestDeletingAProductDoesNotDeadlockWithItsVoters(t *testing.T) {
	t.Parallel()
	const many, sessions = 150, 4
	const voteForAll = `
		INSERT INTO product.votes (person_id, product_id)
		SELECT $1::bigint, p.id FROM product.products AS p WHERE p.deleted_at IS NULL`
	d := pgtest.New(t)
	admin, product := open(t, d.AdminURL), open(t, d.ProductURL)
	mustExec(t, admin, insertProducts, many)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for person := range sessions {
		wg.Go(func() {
			for {
				if _, err := product.ExecContext(t.Context(), voteForAll, person+1); err != nil {
					t.Errorf("vote for all: %v", err)
				}
				if _, err := product.ExecContext(t.Context(), deleteVotes, person+1); err != nil {
					t.Errorf("take all back: %v", err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for id := many; id > 0; id-- {
		mustExec(t, product, `UPDATE product.products SET deleted_at = now() WHERE id = $1`, id)
	}
	close(done)
	wg.Wait()
	if total := checkCounts(t, admin); total != 0 {
		t.Errorf("got %d votes, want none", total)
	}
}

func TestVotingDoesNotTouchUpdatedAt(t *testing.T) {
	t.Parallel()
	const query = `SELECT votes, updated_at, now() - updated_at > interval '1 year' FROM product.products WHERE id = 1`
	d := pgtest.New(t)
	admin := open(t, d.AdminURL)
	mustExec(t, admin, insertProducts, 1)
	mustExec(t, admin, `UPDATE product.products SET updated_at = '2020-01-01'`)
	mustExec(t, open(t, d.ProductURL), `INSERT INTO product.votes (person_id, product_id) VALUES (1, 1), (2, 1)`)
	var votes int
	var updatedAt time.Time
	var old bool
	if err := admin.QueryRowContext(t.Context(), query).Scan(&votes, &updatedAt, &old); err != nil {
		t.Fatal(err)
	}
	if votes != 2 || !old {
		t.Errorf("got %d votes and updated_at %v, want 2 and 2020", votes, updatedAt)
	}
}
