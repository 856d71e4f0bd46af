package db_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/lib/pq"

	"craftista/db"
	"craftista/db/pgtest"
	"craftista/shared/waittest"
)

const (
	products = 8
	people   = 30
)

// TestCountsNeverDrift has many sessions vote, take votes back, roll back, be killed, delete products, change many rows
// at once and tamper, all at the same time, and compares the counts with the rows, during it and afterwards.
func TestCountsNeverDrift(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	admin, product := pgtest.Open(t, d.AdminURL), pgtest.Open(t, d.ProductURL)
	product.SetMaxOpenConns(16)
	mustExec(t, admin, insertProducts, products)
	mustExec(t, admin, `DO $$ BEGIN -- for every session after this: else each deadlock is a second's pause
		EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 20', current_database());
		END $$`)
	tampering, stop := context.WithCancel(t.Context())
	var disturbers, tamperer sync.WaitGroup
	for seed := range 16 {
		disturbers.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(seed)))
			for range 40 {
				if err := disturb(t.Context(), product, r); err != nil && !expected(err) {
					t.Errorf("disturb: %v", err)
				}
			}
		})
	}
	tamperer.Go(func() {
		for r := rand.New(rand.NewPCG(2, 0)); tampering.Err() == nil; {
			if err := tamper(tampering, admin, r); err != nil && !expected(err) {
				t.Errorf("tamper: %v", err)
			}
			checkCounts(t, admin)
		}
	})
	disturbers.Wait()
	stop()
	tamperer.Wait()
	if total := checkCounts(t, admin); total == 0 {
		t.Error("no votes are left: the test tried nothing")
	}
}

// disturb runs one to three statements as the product service, and half the time commits them.
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
		`WITH old AS (DELETE FROM product.votes WHERE product_id = $2 AND person_id <> $1 RETURNING person_id)
		 INSERT INTO product.votes (person_id, product_id)
		 SELECT old.person_id + 1000, $2 FROM old ON CONFLICT DO NOTHING`,
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

// tamper runs one statement as the superuser: it kills a session, replaces a product, or falsifies counts.
func tamper(ctx context.Context, admin *sql.DB, r *rand.Rand) error {
	statements := []string{
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		  WHERE datname = current_database() AND usename = 'craftista_product' AND $1 > 0 ORDER BY random() LIMIT 1`,
		`WITH old AS (DELETE FROM product.products WHERE id = $1 RETURNING id)
		 INSERT INTO product.products (id, name, description, image_url, difficulty, folds, paper)
		 OVERRIDING SYSTEM VALUE
		 SELECT id + 1000, 'Again', 'Folded.', '/x.svg', 'easy', 1, '15 cm' FROM old`,
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

// expected reports whether the test itself provokes this error.
func expected(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrTxDone) ||
		errors.Is(err, context.Canceled) ||
		pq.As(err,
			"23505", // unique_violation: the vote exists
			"23503", // foreign_key_violation: the product was deleted
			"23000", // integrity_constraint_violation: product.refuse
			"42501", // insufficient_privilege
			"40P01", // deadlock_detected: several statements of one transaction, in opposing orders
			"57P01", // admin_shutdown: killed
			"57014", // query_canceled: the test has ended
		) != nil
}

// TestBulkStatementsDoNotDeadlock has sessions vote for all products and take all votes back, half of them upwards and
// half downwards, while each product is deleted. No statement may fail.
func TestBulkStatementsDoNotDeadlock(t *testing.T) {
	t.Parallel()
	const many, sessions = 150, 4
	const voteForAll = `
		INSERT INTO product.votes (person_id, product_id)
		SELECT $1, p.id FROM product.products AS p WHERE p.deleted_at IS NULL
		 ORDER BY p.id * CASE WHEN $1::bigint % 2 = 0 THEN 1 ELSE -1 END`
	const takeAllBack = `DELETE FROM product.votes WHERE person_id = $1`
	d := pgtest.New(t)
	admin, product := pgtest.Open(t, d.AdminURL), pgtest.Open(t, d.ProductURL)
	mustExec(t, admin, insertProducts, many)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for person := range sessions {
		wg.Go(func() {
			for ctx.Err() == nil {
				for _, statement := range []string{voteForAll, takeAllBack} {
					if _, err := product.ExecContext(t.Context(), statement, person+1); err != nil {
						t.Errorf("%s: %v", statement, err)
					}
				}
			}
		})
	}
	for id := many; id > 0; id-- {
		mustExec(t, product, `UPDATE product.products SET deleted_at = now() WHERE id = $1`, id)
	}
	cancel()
	wg.Wait()
	if total := checkCounts(t, admin); total != 0 {
		t.Errorf("got %d votes, want none", total)
	}
}

func TestVotingDoesNotTouchUpdatedAt(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	admin := pgtest.Open(t, d.AdminURL)
	mustExec(t, admin, insertProducts, 1)
	mustExec(t, admin, `UPDATE product.products SET updated_at = '2020-01-01'`)
	mustExec(t, pgtest.Open(t, d.ProductURL), `INSERT INTO product.votes (person_id, product_id) VALUES (1, 1), (2, 1)`)
	checkEach(t, admin, map[string]string{
		`SELECT votes FROM product.products`:                     "2",
		`SELECT updated_at = '2020-01-01' FROM product.products`: "true",
	})
}

// TestNewestVotes has somebody vote for more than are kept, take the newest back one by one, then some older ones and
// all at once.
func TestNewestVotes(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	admin, product := pgtest.Open(t, d.AdminURL), pgtest.Open(t, d.ProductURL)
	mustExec(t, admin, insertProducts, 60)
	for id := range 55 {
		mustExec(t, product, `INSERT INTO product.votes (person_id, product_id) VALUES (1, $1)`, id+1)
	}
	newest := func() string {
		checkCounts(t, admin)
		const query = `SELECT newest[1] || ' of ' || cardinality(newest) FROM product.voters`
		return strings.Join(column(t, admin, query), ", ")
	}
	if got := newest(); got != "55 of 50" {
		t.Errorf("after 55 votes the newest is %s", got)
	}
	for id := 55; id > 53; id-- {
		mustExec(t, product, `DELETE FROM product.votes WHERE product_id = $1`, id)
	}
	if got := newest(); got != "53 of 50" {
		t.Errorf("after two were taken back the newest is %s", got)
	}
	mustExec(t, product, `DELETE FROM product.votes WHERE product_id < 11`)
	mustExec(t, product, `
		INSERT INTO product.votes (person_id, product_id) SELECT 1, id FROM generate_series(56, 58) AS id`)
	if got := newest(); got != "58 of 46" {
		t.Errorf("after ten more were taken back and three added the newest is %s", got)
	}
	mustExec(t, product, `DELETE FROM product.votes`)
	if got := newest(); got != "" {
		t.Errorf("after all were taken back the newest is %s", got)
	}
}

// TestVotesDuringMigration undoes the last migration, and has two people vote while it is made again: one before it
// began, the other by the trigger's old version and not yet committed when the lists are made.
func TestVotesDuringMigration(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	admin := pgtest.Open(t, d.AdminURL)
	before, err := os.ReadFile("migrations/product/00015_voters.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, function, _ := strings.Cut(string(before), "CREATE FUNCTION")
	function, _, _ = strings.Cut(function, "REVOKE")
	mustExec(t, admin, `ALTER TABLE product.voters DROP newest`)
	mustExec(t, admin, "CREATE OR REPLACE FUNCTION"+function)
	mustExec(t, admin, `DELETE FROM product.goose_db_version WHERE version_id = 16`)
	mustExec(t, admin, insertProducts, 2)

	vote := func(person int) (*sql.Tx, error) {
		tx, err := admin.BeginTx(t.Context(), nil)
		if err == nil {
			_, err = tx.ExecContext(t.Context(), `
				INSERT INTO product.votes (person_id, product_id) VALUES ($1, $1), (9, $1)`, person)
		}
		return tx, err
	}
	first, err := vote(1)
	if err != nil {
		t.Fatal(err)
	}
	ended, voted := make(chan error, 1), make(chan error, 1)
	waiting := func(want string) func() bool {
		const query = `
			SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
		return func() bool { return len(ended) > 0 || column(t, admin, query)[0] == want }
	}
	go func() { ended <- db.Up(t.Context(), d.AdminURL, pgtest.Passwords()) }()
	waittest.Until(t, "the migration waits for the first vote", waiting("1"))
	var second *sql.Tx
	go func() {
		var err error
		second, err = vote(2)
		voted <- err
	}()
	waittest.Until(t, "the second vote waits for the migration", waiting("2"))
	if err := errors.Join(first.Commit(), <-voted); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "the migration waits for the second vote", waiting("1"))
	if err := errors.Join(second.Commit(), <-ended); err != nil {
		t.Fatal(err)
	}
	if total := checkCounts(t, admin); total != 4 {
		t.Errorf("%d votes, want 4", total)
	}
}
