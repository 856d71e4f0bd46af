package postgres

import (
	"context"
	"fmt"

	"craftista/recommendation/internal/recommend"

	"github.com/lib/pq"
)

// All queries here read a bounded number of rows by indexes: neither the size of the catalogue nor the popularity of a
// product nor the activity of a person matters.

// Liked implements recommend.Store. Of many voters it takes those who joined first: they had the longest time to show
// their taste, and different products have the same ones, so that people with many votes in common are found.
func (s *Store) Liked(ctx context.Context, person, id int64) ([]recommend.Liked, error) {
	const query = `
		SELECT p.id, p.votes, p.name, ARRAY (
			SELECT person_id FROM product.votes
			WHERE product_id = p.id AND person_id <> $1
			ORDER BY person_id LIMIT 150
		) AS voters
		FROM unnest((SELECT newest FROM product.voters WHERE person_id = $1) || $2::bigint)
			WITH ORDINALITY AS liked (product_id, place)
		JOIN product.products AS p ON p.id = liked.product_id
		WHERE p.deleted_at IS NULL
		ORDER BY liked.place`
	var liked []recommend.Liked
	if err := s.db.SelectContext(ctx, &liked, query, person, id); err != nil {
		return nil, fmt.Errorf("select what person %d likes and product %d: %w", person, id, err)
	}
	return liked, nil
}

// Neighbours implements recommend.Store.
func (s *Store) Neighbours(ctx context.Context, people []int64, weights []float64) ([]recommend.Neighbour, error) {
	const query = `
		SELECT each.id, each.weight / sqrt(v.votes) AS weight, v.newest AS likes
		FROM unnest($1::bigint[], $2::float8[]) AS each (id, weight)
		JOIN product.voters AS v ON v.person_id = each.id
		ORDER BY weight DESC, each.id LIMIT 300`
	var neighbours []recommend.Neighbour
	if err := s.db.SelectContext(ctx, &neighbours, query, pq.Array(people), pq.Array(weights)); err != nil {
		return nil, fmt.Errorf("select votes of %d people: %w", len(people), err)
	}
	return neighbours, nil
}

// Candidates implements recommend.Store. OFFSET 0 looks each vote up, instead of reading all of a person who has many.
// LIMIT 120, not 20 + $3, lets PostgreSQL plan once for all limits: planning took up to half of the time.
func (s *Store) Candidates(ctx context.Context, person int64, ids []int64, limit int) ([]recommend.Pick, error) {
	const query = `
		WITH fresh AS MATERIALIZED (
			SELECT id
			FROM (
				SELECT id, votes, created_at FROM product.products
				WHERE deleted_at IS NULL
				ORDER BY created_at DESC, id DESC LIMIT 50
			) AS latest
			WHERE $3 >= 4 AND created_at > now() - interval '30 days' AND votes < 10
			AND NOT EXISTS (SELECT FROM product.votes WHERE person_id = $1 AND product_id = latest.id OFFSET 0)
			ORDER BY md5(concat_ws(' ', $1, id, (now() AT TIME ZONE 'UTC')::date)) LIMIT 1
		), popular AS (
			SELECT id FROM product.products
			WHERE deleted_at IS NULL
			ORDER BY votes DESC, id DESC LIMIT 120
		), best AS (
			SELECT id
			FROM (SELECT unnest($2::bigint[]) AS id UNION ALL TABLE popular) AS each
			WHERE NOT EXISTS (SELECT FROM product.votes WHERE person_id = $1 AND product_id = each.id OFFSET 0)
			LIMIT 40 + 2 * $3
		)
		SELECT ` + columns + `, p.maker, p.id IN (TABLE fresh) AS fresh
		FROM product.products AS p
		WHERE p.id IN (TABLE fresh UNION TABLE best) AND p.deleted_at IS NULL`
	var picks []recommend.Pick
	if err := s.db.SelectContext(ctx, &picks, query, person, pq.Array(ids), limit); err != nil {
		return nil, fmt.Errorf("select candidates for person %d: %w", person, err)
	}
	return picks, nil
}
