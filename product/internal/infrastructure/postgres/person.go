package postgres

import (
	"context"
	"fmt"

	"craftista/product/internal/core"

	"github.com/jmoiron/sqlx"
)

// Forget implements core.Store. The trigger product.count_votes counts, as for Unvote.
func (s *Store) Forget(ctx context.Context, userID int64) (productIDs []int64, err error) {
	const query = `
		DELETE FROM product.votes
		 WHERE person_id = $1
		RETURNING product_id`
	err = s.inTx(ctx, func(tx *sqlx.Tx) error {
		if err := tx.SelectContext(ctx, &productIDs, query, userID); err != nil {
			return fmt.Errorf("delete votes of a user: %w", err)
		}
		return nil
	})
	return productIDs, err
}

// PersonData implements core.Store.
func (s *Store) PersonData(ctx context.Context, userID int64) (d core.PersonData, err error) {
	const of = `
		SELECT p.id AS productid, p.name, a.created_at AS at
		  FROM product.%s AS a
		  JOIN product.products AS p ON p.id = a.product_id
		 WHERE a.person_id = $1
		 ORDER BY a.created_at DESC, p.id DESC`
	if err := s.db.SelectContext(ctx, &d.Votes, fmt.Sprintf(of, "votes"), userID); err != nil {
		return d, fmt.Errorf("select all votes of a user: %w", err)
	}
	if err := s.db.SelectContext(ctx, &d.Added, fmt.Sprintf(of, "additions"), userID); err != nil {
		return d, fmt.Errorf("select what a user added: %w", err)
	}
	return d, nil
}
