package postgres

import (
	"context"
	"fmt"

	"craftista/product/internal/core"

	"github.com/lib/pq"
)

// Counts implements core.CountReader.
func (s *Store) Counts(ctx context.Context, ids []int64) ([]core.Count, error) {
	const query = `
		SELECT id, votes
		  FROM product.products
		 WHERE id = ANY ($1)
		   AND deleted_at IS NULL`
	var counts []core.Count
	if err := s.db.SelectContext(ctx, &counts, query, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("select counts of %d products: %w", len(ids), err)
	}
	return counts, nil
}

// IDs implements core.CountReader.
func (s *Store) IDs(ctx context.Context, limit int) ([]int64, error) {
	const query = `
		SELECT id
		  FROM product.products
		 WHERE deleted_at IS NULL
		 ORDER BY id
		 LIMIT $1`
	var ids []int64
	if err := s.db.SelectContext(ctx, &ids, query, limit); err != nil {
		return nil, fmt.Errorf("select ids of products: %w", err)
	}
	return ids, nil
}
