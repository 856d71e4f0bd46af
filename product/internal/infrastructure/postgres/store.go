// Package postgres stores the catalogue in PostgreSQL.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Store is the core.Store of schema product. It is safe for concurrent use.
type Store struct{ db *sqlx.DB }

// NewStore returns the store behind db, which stays the caller's to close.
func NewStore(db *sqlx.DB) *Store { return &Store{db: db} }

// Ready is nil once the catalogue can be read: the database answers, the role
// may sign in and the migrations ran.
func (s *Store) Ready(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, `SELECT FROM product.products LIMIT 1`); err != nil {
		return fmt.Errorf("read products: %w", err)
	}
	return nil
}

// row is a product as selectProduct lists its columns.
type row struct {
	ID          int64     `db:"id"`
	Name        string    `db:"name"`
	Description string    `db:"description"`
	ImageURL    string    `db:"image_url"`
	Votes       int64     `db:"votes"`
	Difficulty  string    `db:"difficulty"`
	Folds       int       `db:"folds"`
	Paper       string    `db:"paper"`
	CreatedAt   time.Time `db:"created_at"`
	UpdatedAt   time.Time `db:"updated_at"`
	Version     int64     `db:"version"`
}

// columns are those of a row. A reader who selects them leaves out deleted
// products, whose rows stay.
const (
	columns       = `id, name, description, image_url, votes, difficulty, folds, paper, created_at, updated_at, version`
	selectProduct = `
	SELECT ` + columns + `
	  FROM product.products
	 WHERE deleted_at IS NULL`
)

func (r row) product() core.Product {
	p := core.Product(r)
	p.CreatedAt, p.UpdatedAt = r.CreatedAt.UTC(), r.UpdatedAt.UTC() // the driver gives the session's zone
	return p
}

// Product implements core.Store.
func (s *Store) Product(ctx context.Context, id int64) (core.Product, error) {
	const query = selectProduct + `
	   AND id = $1`
	var r row
	switch err := s.db.GetContext(ctx, &r, query, id); {
	case errors.Is(err, sql.ErrNoRows):
		return core.Product{}, missing(id)
	case err != nil:
		return core.Product{}, fmt.Errorf("select product %d: %w", id, err)
	}
	return r.product(), nil
}

// Vote implements core.Store. Somebody's second vote at the same moment, through
// another replica, waits for the first one's commit and then changes nothing.
// Replicas insert in the order of people, and the trigger locks the row of the
// product last, so that there is no deadlock.
func (s *Store) Vote(ctx context.Context, id int64, people []int64) (votes int64, err error) {
	const query = `
		INSERT INTO product.votes (person_id, product_id)
		SELECT person, $1
		  FROM unnest($2::bigint[]) AS person
		 ORDER BY person
		    ON CONFLICT (person_id, product_id) DO NOTHING`
	votes, err = s.change(ctx, query, id, people)
	if pg.Violated(err) == "votes_product_id_fkey" {
		return 0, missing(id)
	}
	return votes, err
}

// Unvote implements core.Store. A scan by ctid goes in the order of the table,
// whatever index finds the rows, hence for all replicas alike.
func (s *Store) Unvote(ctx context.Context, id int64, people []int64) (votes int64, err error) {
	const query = `
		DELETE FROM product.votes
		 WHERE ctid = ANY (ARRAY(
		       SELECT v.ctid
		         FROM product.votes AS v
		        WHERE v.product_id = $1
		          AND v.person_id = ANY ($2)))`
	return s.change(ctx, query, id, people)
}

// change runs a statement on votes and reads the count in the same transaction:
// the trigger product.count_votes (db/migrations/product) has counted by then, and
// the lock it took on the product keeps the count true until the commit. A product whose count cannot be read, such as a
// deleted one, cannot be voted for: the change is undone.
func (s *Store) change(ctx context.Context, statement string, id int64, people []int64) (votes int64, err error) {
	const query = `
		SELECT votes
		  FROM product.products
		 WHERE id = $1
		   AND deleted_at IS NULL`
	err = s.inTx(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, statement, id, pq.Array(people)); err != nil {
			return fmt.Errorf("change votes for %d: %w", id, err)
		}
		switch err := tx.GetContext(ctx, &votes, query, id); {
		case errors.Is(err, sql.ErrNoRows):
			return missing(id)
		case err != nil:
			return fmt.Errorf("select votes of %d: %w", id, err)
		}
		return nil
	})
	return votes, err
}

// inTx is pg.InTx for a core.Store: a commit whose outcome is unknown is
// uncertain.
func (s *Store) inTx(ctx context.Context, do func(*sqlx.Tx) error) error {
	err := pg.InTx(ctx, s.db, do)
	if errors.Is(err, pg.ErrCommit) {
		return fmt.Errorf("%w: %w", core.ErrUncertain, err)
	}
	return err
}

// VotedFor implements core.Store.
func (s *Store) VotedFor(ctx context.Context, person int64, ids []int64) ([]int64, error) {
	const query = `
		SELECT v.product_id
		  FROM product.votes AS v
		  JOIN product.products AS p ON p.id = v.product_id
		 WHERE v.person_id = $1
		   AND v.product_id = ANY ($2)
		   AND p.deleted_at IS NULL
		 ORDER BY v.product_id`
	found := []int64{}
	if err := s.db.SelectContext(ctx, &found, query, person, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("select votes of a person: %w", err)
	}
	return found, nil
}

// VotesOf implements core.Store.
func (s *Store) VotesOf(ctx context.Context, person int64, after core.Position, limit int) ([]core.Vote, error) {
	var rows []struct {
		ProductID int64     `db:"product_id"`
		CreatedAt time.Time `db:"created_at"`
	}
	if err := s.db.SelectContext(ctx, &rows, selectVotesOf, person, after.CreatedAt, after.ID, limit); err != nil {
		return nil, fmt.Errorf("select latest votes of a person: %w", err)
	}
	votes := make([]core.Vote, len(rows))
	for i, r := range rows {
		votes[i] = core.Vote{ProductID: r.ProductID, CreatedAt: r.CreatedAt.UTC()}
	}
	return votes, nil
}

const selectVotesOf = `
	SELECT v.product_id, v.created_at
	  FROM product.votes AS v
	  JOIN product.products AS p ON p.id = v.product_id
	 WHERE v.person_id = $1
	   AND (v.created_at, v.product_id) < ($2, $3)
	   AND p.deleted_at IS NULL
	 ORDER BY v.created_at DESC, v.product_id DESC
	 LIMIT $4`

func missing(id int64) error { return fault.New(fault.NotFound, "no origami %d", id) }
