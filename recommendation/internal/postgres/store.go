// Package postgres reads the tables that product publishes and records the days.
package postgres

import (
	"context"
	"fmt"

	"craftista/recommendation/internal/recommend"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
)

// Store implements recommend.Store. It is safe for concurrent use.
type Store struct{ db *sqlx.DB }

// NewStore returns a store on db, which the caller closes. Nothing is read yet.
func NewStore(db *sqlx.DB) *Store { return &Store{db} }

// columns are those of a recommend.Product. sqlx fills the field whose name in
// lower case is the column's.
const columns = `p.id, p.name, p.description, p.image_url AS imageurl, p.votes, p.difficulty, p.folds, p.paper,
		       p.created_at AS createdat, p.updated_at AS updatedat, p.deleted_at IS NOT NULL AS deleted`

// Ready is nil once the database answers and has every table that the service
// reads, which a ping would not tell before the migrations ran.
func (s *Store) Ready(ctx context.Context) error {
	const query = `
		SELECT EXISTS (SELECT FROM recommendation.daily),
		       EXISTS (SELECT FROM product.products),
		       EXISTS (SELECT FROM product.votes)`
	if _, err := s.db.ExecContext(ctx, query); err != nil {
		return fmt.Errorf("read the tables: %w", err)
	}
	return nil
}

// Product implements recommend.Store.
func (s *Store) Product(ctx context.Context, id int64) (recommend.Product, error) {
	const query = `
		SELECT ` + columns + `
		FROM product.products AS p
		WHERE p.id = $1`
	var p recommend.Product
	err := s.db.GetContext(ctx, &p, query, id)
	return p, pg.RowError(err, "select product", fault.New(fault.NotFound, "no origami %d", id))
}
