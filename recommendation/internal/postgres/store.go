// Package postgres reads the tables that product publishes and records the days.
package postgres

import (
	"context"

	"craftista/recommendation/internal/recommend"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
)

// Store implements recommend.Store. It is safe for concurrent use.
type Store struct{ db *sqlx.DB }

// NewStore returns a store on db, which the caller closes. Nothing is read yet.
func NewStore(db *sqlx.DB) *Store { return &Store{db} }

// columns are those of a recommend.Product. sqlx fills the field whose name in lower case is the column's.
const columns = `p.id, p.name, p.description, p.image_url AS imageurl, p.votes, p.difficulty, p.folds, p.paper,
		       p.created_at AS createdat, p.updated_at AS updatedat, p.deleted_at IS NOT NULL AS deleted`

// schema is what the service needs. What it reads of product's schema are columns.
func schema() pg.Schema {
	return pg.Schema{Name: "recommendation", Version: 10, Columns: `
		SELECT EXISTS (SELECT day, product_id FROM recommendation.daily LIMIT 0),
		       EXISTS (
		           SELECT id, name, description, image_url, votes, difficulty, folds, paper, created_at, updated_at,
		                  deleted_at, maker
		             FROM product.products LIMIT 0),
		       EXISTS (SELECT person_id, product_id FROM product.votes LIMIT 0),
		       EXISTS (SELECT person_id, votes, newest FROM product.voters LIMIT 0)`}
}

// Ready is nil once the database answers and has all that the service reads.
func (s *Store) Ready(ctx context.Context) error { return schema().Ready(ctx, s.db) }

// Current is nil unless the database was migrated by a newer version.
func (s *Store) Current(ctx context.Context) error { return schema().Current(ctx, s.db) }

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
