package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"craftista/product/internal/core"
	"craftista/shared/fault"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Add implements core.Store.
func (s *Store) Add(ctx context.Context, d core.Draft) (core.Product, error) {
	const query = `
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
		VALUES ($1, $2, $3, $4, $5, $6)
		RETURNING ` + columns
	var r row
	err := s.inTx(ctx, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &r, query, d.Name, d.Description, d.ImageURL, d.Difficulty, d.Folds, d.Paper)
	})
	if err != nil {
		return core.Product{}, fmt.Errorf("insert product: %w", err)
	}
	return r.product(), nil
}

// Edit implements core.Store. Of two edits of one version the second waits for
// the first one's commit, looks at the version again and finds another.
func (s *Store) Edit(ctx context.Context, id int64, versions []int64, d core.Draft) (core.Product, error) {
	const query = `
		UPDATE product.products
		   SET name = $3, description = $4, image_url = $5, difficulty = $6, folds = $7, paper = $8,
		       version = version + 1, updated_at = now()
		 WHERE id = $1
		   AND deleted_at IS NULL
		   AND ($2::bigint[] IS NULL OR version = ANY ($2))
		RETURNING ` + columns
	var r row
	err := s.inTx(ctx, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &r, query, id, pq.Array(versions), d.Name, d.Description, d.ImageURL, d.Difficulty, d.Folds, d.Paper)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return core.Product{}, s.unmatched(ctx, id)
	case err != nil:
		return core.Product{}, fmt.Errorf("update product %d: %w", id, err)
	}
	return r.product(), nil
}

// Remove implements core.Store. It waits for votes of the piece in flight, and
// later ones find it gone.
func (s *Store) Remove(ctx context.Context, id int64, versions []int64) error {
	const query = `
		UPDATE product.products
		   SET deleted_at = now()
		 WHERE id = $1
		   AND deleted_at IS NULL
		   AND ($2::bigint[] IS NULL OR version = ANY ($2))
		RETURNING id`
	err := s.inTx(ctx, func(tx *sqlx.Tx) error { return tx.GetContext(ctx, &id, query, id, pq.Array(versions)) })
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return s.unmatched(ctx, id)
	case err != nil:
		return fmt.Errorf("delete product %d: %w", id, err)
	}
	return nil
}

// unmatched is why a change found nothing to change.
func (s *Store) unmatched(ctx context.Context, id int64) error {
	if _, err := s.Product(ctx, id); err != nil {
		return err
	}
	return fault.New(fault.Stale, "somebody edited origami %d since you read it, read it again", id)
}
