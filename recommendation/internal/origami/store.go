// Package origami chooses the piece of the day and each person's picks.
package origami

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"craftista/shared/fault"

	"github.com/jmoiron/sqlx"
)

// Store reads the tables that product publishes and keeps the record of the
// days. It is safe for concurrent use.
type Store struct{ db *sqlx.DB }

// NewStore returns a store on db, which the caller closes. Nothing is read yet.
func NewStore(db *sqlx.DB) *Store { return &Store{db} }

// product is a row of product.products and, but for what replies add or leave
// out, its JSON.
type product struct {
	ID          int64     `db:"id" json:"id"`
	Name        string    `db:"name" json:"name"`
	Description string    `db:"description" json:"description"`
	ImageURL    string    `db:"image_url" json:"image_url"`
	Votes       int64     `db:"votes" json:"votes"`
	Difficulty  string    `db:"difficulty" json:"difficulty"`
	Folds       int       `db:"folds" json:"folds"`
	Paper       string    `db:"paper" json:"paper"`
	CreatedAt   time.Time `db:"created_at" json:"created_at"`
	UpdatedAt   time.Time `db:"updated_at" json:"updated_at"`
	Deleted     bool      `db:"deleted" json:"-"` // read for pieces of days only: no other reader gets a deleted one
}

// Ready is nil once the database answers and has every table that the service
// reads, which a ping would not tell before the migrations ran.
func (s *Store) Ready(ctx context.Context) error {
	const query = `
		SELECT EXISTS (SELECT FROM recommendation.daily),
		       EXISTS (SELECT FROM product.products),
		       EXISTS (SELECT FROM product.votes)`
	if _, err := s.db.ExecContext(ctx, query); err != nil {
		return fmt.Errorf("look at the tables: %w", err)
	}
	return nil
}

// product is the piece with that id, deleted or not; what was erased from the
// table is a NotFound fault.
func (s *Store) product(ctx context.Context, id int64) (product, error) {
	const query = `
		SELECT id, name, description, image_url, votes, difficulty, folds, paper, created_at, updated_at,
		       deleted_at IS NOT NULL AS deleted
		FROM product.products
		WHERE id = $1`
	var p product
	switch err := s.db.GetContext(ctx, &p, query, id); {
	case errors.Is(err, sql.ErrNoRows):
		return product{}, gone()
	case err != nil:
		return product{}, fmt.Errorf("select product %d: %w", id, err)
	}
	return p, nil
}

func gone() error { return fault.New(fault.NotFound, "the piece of that day has left the gallery") }
