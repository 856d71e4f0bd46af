package db

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/lib/pq"
)

// The most that Fill takes on. A piece's voters are drawn from fillVoters, and one in a thousand pieces gets some 145
// times the average.
const (
	MaxFillProducts      = 10_000_000
	MaxFillVotesPerPiece = 1000 // on average
)

const (
	fillVoters   = 1 << 20
	firstVoterID = 1 << 40 // far above the ids of people, who must not find votes that they never gave
	fillBatch    = 10_000  // pieces of one transaction, or ten times as many votes: a second's work
)

// Amounts are how many pieces and votes there are, or are to be.
type Amounts struct{ Products, Votes int64 }

// check is nil when Fill can reach these amounts.
func (a Amounts) check() error {
	switch {
	case a.Products < 0 || a.Products > MaxFillProducts:
		return fmt.Errorf("products must be between 0 and %d", MaxFillProducts)
	case a.Votes < 0 || a.Votes > a.Products*MaxFillVotesPerPiece:
		return fmt.Errorf("votes must be between 0 and %d for each piece", MaxFillVotesPerPiece)
	}
	return nil
}

// Fill adds made-up pieces and votes to a migrated database until it holds the target's amounts, and leaves its
// indexes and statistics as they should be. What is more than the target stays. Progress is told, now and then, how
// much there is.
//
// Pieces and votes come in transactions of a second or so, in each of which every count is exact: whenever Fill is
// interrupted, what it did so far is whole, and the next call goes on from there. The voters are nobody: their ids are
// far above those of people. Services may run meanwhile; those who edit or vote wait for the transaction under way.
//
// The user of adminURL must own the tables, as the one does who called Up.
func Fill(ctx context.Context, adminURL string, target Amounts, progress func(now Amounts)) error {
	if err := target.check(); err != nil {
		return err
	}
	var words vocabulary
	if err := read("vocabulary.json", &words); err != nil {
		return err
	}
	pool, err := open(adminURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	conn, err := lockCurrent(ctx, pool)
	if err != nil {
		return err
	}
	defer conn.Close()
	f := filler{conn: conn, words: words, target: target, progress: progress}
	if f.now, err = amounts(ctx, conn); err != nil {
		return err
	}
	if err := f.fill(ctx); err != nil {
		return err
	}
	return tidy(ctx, conn)
}

// filler is a fill under way.
type filler struct {
	conn     *sql.Conn // the one that holds the lock, so that nothing is written without it
	words    vocabulary
	target   Amounts
	now      Amounts
	progress func(Amounts)
}

// fill adds the new pieces with their part of the votes, then the rest of the votes to all pieces.
func (f *filler) fill(ctx context.Context) error {
	f.progress(f.now)
	for f.now.Products < f.target.Products {
		pieces := min(f.target.Products-f.now.Products, f.batchPieces())
		// What is missing, divided by the pieces to come, but no more than their due: the seed has fewer than its.
		votes := min(f.missing()*pieces/(f.target.Products-f.now.Products), f.target.Votes*pieces/f.target.Products)
		if err := f.step(ctx, func(tx *sql.Tx) (Amounts, error) { return f.addPieces(ctx, tx, pieces, votes) }); err != nil {
			return err
		}
	}
	for after := int64(0); f.missing() > 0; {
		err := f.step(ctx, func(tx *sql.Tx) (added Amounts, err error) {
			after, added.Votes, err = f.addVotes(ctx, tx, after)
			return added, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) missing() int64 { return max(0, f.target.Votes-f.now.Votes) }

// batchPieces is how many pieces come with about a batch of rows.
func (f *filler) batchPieces() int64 {
	return max(1, fillBatch*10/(10+f.target.Votes/f.target.Products))
}

// step runs one transaction.
func (f *filler) step(ctx context.Context, do func(*sql.Tx) (added Amounts, err error)) error {
	tx, err := f.conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin to fill: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	added, err := do(tx)
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit filled rows: %w", err)
	}
	f.now.Products += added.Products
	f.now.Votes += added.Votes
	f.progress(f.now)
	return nil
}

// amounts counts what there is.
func amounts(ctx context.Context, conn *sql.Conn) (Amounts, error) {
	const query = `
		SELECT (SELECT count(*) FROM product.products),
		       (SELECT count(*) FROM product.votes)`
	var a Amounts
	if err := conn.QueryRowContext(ctx, query).Scan(&a.Products, &a.Votes); err != nil {
		return Amounts{}, fmt.Errorf("count pieces and votes: %w", err)
	}
	return a, nil
}

// tidy does at once what autovacuum would do later.
func tidy(ctx context.Context, conn *sql.Conn) error {
	const statement = `VACUUM (ANALYZE) product.products, product.votes, product.search, product.words`
	if _, err := conn.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	return nil
}

// copyIn sends rows to a table by COPY; next returns nil after the last.
func copyIn(ctx context.Context, tx *sql.Tx, table string, columns []string, next func() []any) error {
	stmt, err := tx.PrepareContext(ctx, pq.CopyInSchema("product", table, columns...)) //nolint:staticcheck // its successor is for pgx
	if err != nil {
		return fmt.Errorf("copy to %s: %w", table, err)
	}
	defer stmt.Close()
	for row := next(); row != nil; row = next() {
		if _, err := stmt.ExecContext(ctx, row...); err != nil {
			return fmt.Errorf("copy to %s: %w", table, err)
		}
	}
	if _, err := stmt.ExecContext(ctx); err != nil { // what PostgreSQL says to the rows
		return fmt.Errorf("copy to %s: %w", table, err)
	}
	return nil
}
