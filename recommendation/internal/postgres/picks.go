package postgres

import (
	"context"
	"fmt"

	"craftista/recommendation/internal/recommend"
)

// Picks implements recommend.Store.
//
// The measure is item-to-item cosine similarity (Sarwar et al., Item-Based
// Collaborative Filtering Recommendation Algorithms, WWW 2001) summed over the
// person's votes: a product gains with each voter it shares with one of
// them, and the roots of both vote counts keep products that everybody votes for
// from being close to everything. The sum is taken voter by voter instead of pair by pair,
// which needs no table of similarities, and rounded, so that equal products tie in
// whatever order the floats were added.
//
// However many votes there are, it goes by the person's latest 50, by 200 voters
// of each and by the votes of the closest 200 people. Of many voters it takes those
// who joined first: they had the longest time to show their taste, and each request
// takes the same. To find them without reading all voters of a popular product,
// PostgreSQL needs an index on votes (product_id, person_id). The catalogue, which
// curators write by hand, is read whole.
func (s *Store) Picks(ctx context.Context, person int64, limit int) ([]recommend.Pick, error) {
	const query = `
		WITH liked AS (
			SELECT v.product_id, 1 / sqrt(p.votes) AS weight
			FROM product.votes AS v JOIN product.products AS p ON p.id = v.product_id
			WHERE v.person_id = $1 AND p.deleted_at IS NULL
			ORDER BY v.created_at DESC, v.product_id DESC LIMIT 50
		), neighbours AS (
			SELECT voters.person_id, sum(liked.weight) AS weight
			FROM liked CROSS JOIN LATERAL (
				SELECT v.person_id FROM product.votes AS v
				WHERE v.product_id = liked.product_id AND v.person_id <> $1
				ORDER BY v.person_id LIMIT 200
			) AS voters
			GROUP BY voters.person_id
			ORDER BY weight DESC, voters.person_id LIMIT 200
		), shared AS (
			SELECT v.product_id, sum(n.weight) AS weight
			FROM neighbours AS n JOIN product.votes AS v ON v.person_id = n.person_id
			GROUP BY v.product_id
		)
		SELECT ` + columns + `,
		       COALESCE(round((shared.weight / sqrt(p.votes))::numeric, 9), 0) AS affinity
		FROM product.products AS p
		LEFT JOIN shared ON shared.product_id = p.id
		WHERE p.deleted_at IS NULL
		AND NOT EXISTS (SELECT FROM product.votes AS v WHERE v.person_id = $1 AND v.product_id = p.id)
		ORDER BY affinity DESC, p.votes DESC, p.id DESC
		LIMIT $2`
	var picks []recommend.Pick
	if err := s.db.SelectContext(ctx, &picks, query, person, limit); err != nil {
		return nil, fmt.Errorf("select picks for person %d: %w", person, err)
	}
	return picks, nil
}

// AlsoLiked implements recommend.Store.
//
// The measure is the cosine of two products' voters, as in Picks, times
// shared / (shared + 3): it shrinks what rests on few voters in common, who may be
// chance (Bell and Koren, Scalable Collaborative Filtering with Jointly Derived
// Neighborhood Interpolation Weights, ICDM 2007). Without the cosine the popular
// products would win everywhere, without the shrinking the ones with a single vote.
// The product's own count is a factor that all have and is left out.
//
// However many votes there are, it goes by the 200 voters who joined first, as in
// Picks, by the votes of each for the newest 50 products, and compares the 500
// products that most of them voted for. Only indexes lead there, and to the popular
// products that fill up what is missing.
func (s *Store) AlsoLiked(ctx context.Context, id int64, limit int) ([]recommend.Pick, error) {
	const query = `
		WITH voters AS (
			SELECT person_id
			FROM product.votes
			WHERE product_id = $1
			ORDER BY person_id LIMIT 200
		), shared AS (
			SELECT theirs.product_id, count(*) AS voters
			FROM voters CROSS JOIN LATERAL (
				SELECT v.product_id FROM product.votes AS v
				WHERE v.person_id = voters.person_id
				ORDER BY v.product_id DESC LIMIT 50
			) AS theirs
			WHERE theirs.product_id <> $1
			GROUP BY theirs.product_id
			ORDER BY voters DESC, theirs.product_id DESC LIMIT 500
		), popular AS (
			SELECT id AS product_id
			FROM product.products
			WHERE deleted_at IS NULL AND id <> $1
			ORDER BY votes DESC, id DESC LIMIT $2
		), candidates AS (
			SELECT product_id, max(voters) AS voters
			FROM (SELECT product_id, voters FROM shared UNION ALL SELECT product_id, 0 FROM popular) AS either
			GROUP BY product_id
		)
		SELECT ` + columns + `,
		       COALESCE(round((c.voters * c.voters / (c.voters + 3.0) / sqrt(NULLIF(p.votes, 0)))::numeric, 9), 0) AS affinity
		FROM candidates AS c JOIN product.products AS p ON p.id = c.product_id
		WHERE p.deleted_at IS NULL
		ORDER BY affinity DESC, p.votes DESC, p.id DESC
		LIMIT $2`
	var picks []recommend.Pick
	if err := s.db.SelectContext(ctx, &picks, query, id, limit); err != nil {
		return nil, fmt.Errorf("select what goes with product %d: %w", id, err)
	}
	return picks, nil
}
