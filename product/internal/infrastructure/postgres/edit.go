package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"craftista/product/internal/core"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Add implements core.Store. Of two with one key at the same moment the second
// waits for the first one's commit, and then finds the key taken.
func (s *Store) Add(ctx context.Context, userID int64, key string, d core.Draft) (p core.Product, err error) {
	const query = `
		  WITH added AS (
		       INSERT INTO product.products (name, description, image_url, difficulty, folds, paper, maker, instructions_url)
		       VALUES ($1, $2, $3, $4, $5, $6, $10, $11)
		       RETURNING ` + columns + `),
		       noted AS (
		       INSERT INTO product.additions (person_id, key, draft, product_id)
		       SELECT $7::bigint, $8::text, $9::bytea, id
		         FROM added
		        WHERE $8 <> '')
		SELECT *
		  FROM added`
	text, err := json.Marshal(d)
	if err != nil {
		return p, fmt.Errorf("encode draft: %w", err)
	}
	sum := sha256.Sum256(text) // tells drafts apart; it is stored
	err = s.inTx(ctx, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &p, query,
			d.Name, d.Description, d.ImageURL, d.Difficulty, d.Folds, d.Paper, userID, key, sum[:], d.Maker,
			d.InstructionsURL)
	})
	switch {
	case pg.Violated(err) == "additions_pkey":
		return s.added(ctx, userID, key, sum[:])
	case err != nil:
		return p, fmt.Errorf("insert product: %w", err)
	}
	return p, nil
}

// added is the product that the user added with the key, which was used before. It
// may be deleted.
func (s *Store) added(ctx context.Context, userID int64, key string, sum []byte) (p core.Product, err error) {
	const query = `
		SELECT ` + columns + `
		  FROM product.products
		 WHERE id = (
		       SELECT product_id
		         FROM product.additions
		        WHERE person_id = $1
		          AND key = $2
		          AND draft = $3)`
	err = s.db.GetContext(ctx, &p, query, userID, key, sum)
	return p, pg.RowError(err, "select addition", core.ErrIdempotencyKeyReused)
}

// Edit implements core.Store.
func (s *Store) Edit(ctx context.Context, id int64, versions []int64, d core.Draft) (core.Product, error) {
	return s.update(ctx, id, versions, `
		       name = $3, description = $4, image_url = $5, difficulty = $6, folds = $7, paper = $8,
		       maker = $9, instructions_url = $10, version = version + 1, updated_at = now()`,
		d.Name, d.Description, d.ImageURL, d.Difficulty, d.Folds, d.Paper, d.Maker, d.InstructionsURL)
}

// Remove implements core.Store. It waits for votes in flight, and later ones find
// the product deleted.
func (s *Store) Remove(ctx context.Context, id int64, versions []int64) error {
	_, err := s.update(ctx, id, versions, `deleted_at = now()`)
	return err
}

// update sets columns of a product that has one of the versions. Of two updates of
// one version the second waits for the first one's commit, reads the version
// again and finds another.
func (s *Store) update(
	ctx context.Context, id int64, versions []int64, set string, values ...any,
) (p core.Product, err error) {
	query := `
		UPDATE product.products
		   SET ` + set + `
		 WHERE id = $1
		   AND deleted_at IS NULL
		   AND ($2::bigint[] IS NULL OR version = ANY ($2))
		RETURNING ` + columns
	err = s.inTx(ctx, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &p, query, append([]any{id, pq.Array(versions)}, values...)...)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		if _, err := s.Product(ctx, id); err != nil {
			return p, err
		}
		return p, fault.New(fault.PreconditionFailed,
			"somebody edited origami %d since you read it, read it again", id)
	case err != nil:
		return p, fmt.Errorf("update product %d: %w", id, err)
	}
	return p, nil
}
