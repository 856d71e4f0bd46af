package origami

import (
	"context"
	"fmt"
	"net/http"

	"craftista/shared/fault"
	"craftista/shared/web"
)

// briefly is how long anybody may keep an answer that is the same for everyone
// but holds counts, which the next vote changes.
const briefly = "public, max-age=60"

// AlsoLiked answers GET /api/origamis/{id}/also-liked?limit=: what the people who
// voted for that piece like besides it.
func (p Picks) AlsoLiked(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	limit, err := limitParam(r)
	if err != nil {
		return err
	}
	picks, err := p.store.alsoLiked(r.Context(), id, limit)
	if err != nil {
		return err
	}
	return replyPicks(w, r, briefly, picks, "Loved by people who love this one")
}

// alsoLiked are at most limit other pieces, those first that most belong with the
// piece by its voters, then the most popular. A piece that is not in the gallery
// is NotFound.
//
// The measure is the cosine of two pieces' voters, as in picks, times
// shared / (shared + 3): it shrinks what rests on few voters in common, who may be
// chance (Bell and Koren, Scalable Collaborative Filtering with Jointly Derived
// Neighborhood Interpolation Weights, ICDM 2007). Without the cosine the popular
// pieces would win everywhere, without the shrinking the ones with a single vote.
// The piece's own count is a factor that all have and is left out.
//
// However many votes there are, it goes by the 200 voters who joined first, as in
// picks, by the votes of each for the newest 50 pieces, and compares the 500
// pieces that most of them voted for. Only indexes lead there, and to the popular
// pieces that fill up what is missing.
func (s *Store) alsoLiked(ctx context.Context, id int64, limit int) ([]pick, error) {
	const exists = `
		SELECT EXISTS (SELECT FROM product.products WHERE id = $1 AND deleted_at IS NULL)`
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
		SELECT p.id, p.name, p.description, p.image_url, p.votes, p.difficulty, p.folds, p.paper, p.created_at, p.updated_at,
		       COALESCE(round((c.voters * c.voters / (c.voters + 3.0) / sqrt(NULLIF(p.votes, 0)))::numeric, 9), 0) AS affinity
		FROM candidates AS c JOIN product.products AS p ON p.id = c.product_id
		WHERE p.deleted_at IS NULL
		ORDER BY affinity DESC, p.votes DESC, p.id DESC
		LIMIT $2`
	var known bool
	if err := s.db.GetContext(ctx, &known, exists, id); err != nil {
		return nil, fmt.Errorf("look for product %d: %w", id, err)
	}
	if !known {
		return nil, fault.New(fault.NotFound, "no origami %d", id)
	}
	picks := []pick{}
	if err := s.db.SelectContext(ctx, &picks, query, id, limit); err != nil {
		return nil, fmt.Errorf("select what goes with product %d: %w", id, err)
	}
	return picks, nil
}
