package origami

import (
	"context"
	"fmt"
)

// pick is a piece and how close it is to what somebody voted for: 0 is not known
// to be, more is closer.
type pick struct {
	product
	Affinity float64 `db:"affinity"`
}

// picks are at most limit pieces that the person has not voted for, the closest
// to their votes first, then the most popular. Person 0 is nobody.
//
// The measure is item-to-item cosine similarity (Sarwar et al., Item-Based
// Collaborative Filtering Recommendation Algorithms, WWW 2001) summed over the
// person's votes: a piece gains with each voter it shares with one of them, and
// the roots of both vote counts keep pieces that everybody votes for from being
// close to everything. The sum is taken voter by voter instead of pair by pair,
// which needs no table of similarities, and rounded, so that equal pieces tie in
// whatever order the floats were added.
//
// However many votes there are, it goes by the person's latest 50, by 200 voters
// of each and by the votes of the closest 200 people. Of many voters it takes those
// who joined first: they had the longest time to show their taste, and each request
// takes the same. To find them without reading all voters of a popular piece,
// PostgreSQL needs an index on votes (product_id, person_id). The catalogue, which
// curators write by hand, is read whole.
func (s *Store) picks(ctx context.Context, person int64, limit int) ([]pick, error) {
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
		SELECT p.id, p.name, p.description, p.image_url, p.votes, p.difficulty, p.folds, p.paper, p.created_at, p.updated_at,
		       COALESCE(round((shared.weight / sqrt(p.votes))::numeric, 9), 0) AS affinity
		FROM product.products AS p
		LEFT JOIN shared ON shared.product_id = p.id
		WHERE p.deleted_at IS NULL
		AND NOT EXISTS (SELECT FROM product.votes AS v WHERE v.person_id = $1 AND v.product_id = p.id)
		ORDER BY affinity DESC, p.votes DESC, p.id DESC
		LIMIT $2`
	picks := []pick{}
	if err := s.db.SelectContext(ctx, &picks, query, person, limit); err != nil {
		return nil, fmt.Errorf("select picks for person %d: %w", person, err)
	}
	return picks, nil
}
