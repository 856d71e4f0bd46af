// Package postgres stores the catalogue in PostgreSQL.
package postgres

import (
	"context"
	"errors"
	"fmt"

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

// schema is what the service needs.
func schema() pg.Schema {
	return pg.Schema{Name: "product", Version: 16, Columns: `
		SELECT EXISTS (
		           SELECT id, name, description, image_url, votes, difficulty, folds, paper, created_at, updated_at,
		                  version, deleted_at, maker, instructions_url
		             FROM product.products LIMIT 0),
		       EXISTS (SELECT person_id, product_id, created_at FROM product.votes LIMIT 0),
		       EXISTS (SELECT product_id, words FROM product.search LIMIT 0),
		       EXISTS (SELECT word, products FROM product.words LIMIT 0),
		       EXISTS (SELECT name, media_type, body FROM product.images LIMIT 0),
		       EXISTS (SELECT person_id, key, draft, product_id, created_at FROM product.additions LIMIT 0),
		       EXISTS (SELECT generation, fenced_until FROM product.cache_generation LIMIT 0)`}
}

// Ready is nil once the catalogue can be read: the database answers, the role
// may sign in and the migrations ran.
func (s *Store) Ready(ctx context.Context) error { return schema().Ready(ctx, s.db) }

// Current is nil unless the database was migrated by a newer version.
func (s *Store) Current(ctx context.Context) error { return schema().Current(ctx, s.db) }

// columns have the names that sqlx gives the fields of core.Product. A reader who
// selects them leaves out deleted products, whose rows stay.
const (
	columns = `id, name, description, image_url AS imageurl, votes, difficulty, folds, paper, maker,
		instructions_url AS instructionsurl, created_at AS createdat, updated_at AS updatedat, version`
	selectProduct = `
	SELECT ` + columns + `
	  FROM product.products
	 WHERE deleted_at IS NULL`
)

// Product implements core.Store.
func (s *Store) Product(ctx context.Context, id int64) (p core.Product, err error) {
	const query = selectProduct + `
	   AND id = $1`
	err = s.db.GetContext(ctx, &p, query, id)
	return p, pg.RowError(err, "select product", missing(id))
}

// Vote implements core.Store. If a user votes twice at the same time through two
// replicas, the second statement waits for the first one's commit and then changes
// nothing. All replicas insert in the order of the user ids, and the trigger locks
// the row of the product last, so that there is no deadlock.
func (s *Store) Vote(ctx context.Context, productID int64, userIDs []int64) (votes int64, err error) {
	const query = `
		INSERT INTO product.votes (person_id, product_id)
		SELECT person, $1
		  FROM unnest($2::bigint[]) AS person
		 ORDER BY person
		    ON CONFLICT (person_id, product_id) DO NOTHING`
	votes, err = s.change(ctx, query, productID, userIDs)
	if pg.Violated(err) == "votes_product_id_fkey" {
		return 0, missing(productID)
	}
	return votes, err
}

// Unvote implements core.Store. A scan by ctid goes in the order of the table,
// whatever index finds the rows, hence for all replicas alike.
func (s *Store) Unvote(ctx context.Context, productID int64, userIDs []int64) (votes int64, err error) {
	const query = `
		DELETE FROM product.votes
		 WHERE ctid = ANY (ARRAY(
		       SELECT v.ctid
		         FROM product.votes AS v
		        WHERE v.product_id = $1
		          AND v.person_id = ANY ($2)))`
	return s.change(ctx, query, productID, userIDs)
}

// change runs a statement on votes and reads the count in the same transaction:
// the trigger product.count_votes (db/migrations/product) has counted by then, and
// the lock it took on the product keeps the count true until the commit. A product
// whose count cannot be read, such as a deleted one, cannot be voted for: the
// change is undone.
func (s *Store) change(
	ctx context.Context, statement string, productID int64, userIDs []int64,
) (votes int64, err error) {
	const query = `
		SELECT votes
		  FROM product.products
		 WHERE id = $1
		   AND deleted_at IS NULL`
	err = s.inTx(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, statement, productID, pq.Array(userIDs)); err != nil {
			return fmt.Errorf("change votes for %d: %w", productID, err)
		}
		return pg.RowError(tx.GetContext(ctx, &votes, query, productID), "select votes", missing(productID))
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
func (s *Store) VotedFor(ctx context.Context, userID int64, productIDs []int64) ([]core.UserCount, error) {
	const query = `
		SELECT id, votes, id = ANY (ARRAY (
		         SELECT product_id FROM product.votes WHERE person_id = $1 AND product_id = ANY ($2))) AS voted
		  FROM product.products
		 WHERE id = ANY ($2)
		   AND deleted_at IS NULL
		 ORDER BY id`
	var found []core.UserCount
	if err := s.db.SelectContext(ctx, &found, query, userID, pq.Array(productIDs)); err != nil {
		return nil, fmt.Errorf("select votes of a user: %w", err)
	}
	return found, nil
}

// VotesOf implements core.Store.
func (s *Store) VotesOf(ctx context.Context, userID int64, after core.Position, limit int) ([]core.Vote, error) {
	var votes []core.Vote
	if err := s.db.SelectContext(ctx, &votes, selectVotesOf, userID, after.CreatedAt, after.ID, limit); err != nil {
		return nil, fmt.Errorf("select latest votes of a user: %w", err)
	}
	return votes, nil
}

const selectVotesOf = `
	SELECT v.product_id AS productid, v.created_at AS createdat
	  FROM product.votes AS v
	  JOIN product.products AS p ON p.id = v.product_id
	 WHERE v.person_id = $1
	   AND (v.created_at, v.product_id) < ($2, $3)
	   AND p.deleted_at IS NULL
	 ORDER BY v.created_at DESC, v.product_id DESC
	 LIMIT $4`

func missing(id int64) error { return fault.New(fault.NotFound, "no origami %d", id) }
