package postgres

import (
	"context"
	"fmt"

	"craftista/recommendation/internal/recommend"
)

// Picks implements recommend.Store.
//
// The measure is item-to-item cosine similarity (Sarwar et al., Item-Based
// Collaborative Filtering Recommendation Algorithms, WWW 2001), summed over the
// person's votes, of which newer ones weigh more: a product gains with each voter it
// shares with one of them. What everybody votes for is close to everything, and who
// votes for everything to everybody, so their counts divide, to powers that stack/bench/picks
// found: 0.5 for what is liked, 1 for the voter, 0.4 for what is picked. The sum is taken
// voter by voter instead of pair by pair, which needs no table of similarities, and
// rounded, so that equal products tie in whatever order the floats were added. The
// vote that added most is the reason.
//
// Each step is bounded and reads indexes, so that neither the size of the catalogue
// nor the popularity of a product nor the activity of a person matters. Of many
// voters it takes those who joined first: they had the longest time to show their
// taste, each request takes the same, and different products have the same ones, so
// that people with many votes in common are found.
//
// At most a quarter are of one maker and three quarters of one difficulty, as far as
// there are others. Of four or more, one is new and little voted, another one for
// each person and day.
func (s *Store) Picks(ctx context.Context, person int64, limit int) ([]recommend.Pick, error) {
	const query = `
		WITH mine AS MATERIALIZED (
			SELECT v.product_id, row_number() OVER (ORDER BY v.created_at DESC, v.product_id DESC) AS place
			FROM product.votes AS v
			WHERE v.person_id = $1
			ORDER BY v.created_at DESC, v.product_id DESC LIMIT 1000
		), liked AS MATERIALIZED (
			SELECT p.id, p.name, power(0.97::float8, mine.place) / sqrt(p.votes) AS weight
			FROM mine JOIN product.products AS p ON p.id = mine.product_id
			WHERE mine.place <= 50 AND p.deleted_at IS NULL
		), voters AS MATERIALIZED (
			SELECT first.person_id, liked.id, liked.name, liked.weight
			FROM liked CROSS JOIN LATERAL (
				SELECT v.person_id FROM product.votes AS v
				WHERE v.product_id = liked.id AND v.person_id <> $1
				ORDER BY v.person_id LIMIT 150
			) AS first
		), neighbours AS MATERIALIZED (
			SELECT person_id, sum(weight) AS weight
			FROM voters
			GROUP BY person_id
			ORDER BY weight DESC, person_id LIMIT 200
		), theirs AS MATERIALIZED (
			SELECT n.person_id, n.weight, ARRAY (
				SELECT v.product_id FROM product.votes AS v
				WHERE v.person_id = n.person_id
				ORDER BY v.created_at DESC, v.product_id DESC LIMIT 50
			) AS products
			FROM neighbours AS n
		), shared AS (
			SELECT product_id, sum(weight / cardinality(products)) AS weight
			FROM theirs CROSS JOIN unnest(products) AS product_id
			WHERE product_id NOT IN (SELECT product_id FROM mine)
			GROUP BY product_id
			ORDER BY weight DESC, product_id DESC LIMIT 250
		), popular AS (
			SELECT id
			FROM product.products
			WHERE deleted_at IS NULL
			ORDER BY votes DESC, id DESC LIMIT 120
		), fresh AS (
			SELECT id
			FROM (
				SELECT id, votes, created_at
				FROM product.products
				WHERE deleted_at IS NULL
				ORDER BY created_at DESC, id DESC LIMIT 50
			) AS latest
			WHERE $2 >= 4 AND created_at > now() - interval '30 days' AND votes < 10
			AND id NOT IN (SELECT product_id FROM mine)
			ORDER BY md5(concat_ws(' ', $1, id, (now() AT TIME ZONE 'UTC')::date)) LIMIT 1
		), candidates AS (
			SELECT id, max(weight) AS weight
			FROM (
				SELECT product_id AS id, weight FROM shared
				UNION ALL SELECT id, 0 FROM popular
				UNION ALL SELECT id, 0 FROM fresh
			) AS each
			GROUP BY id
		), scored AS (
			SELECT p.id, p.votes, p.difficulty, COALESCE(NULLIF(p.maker, ''), p.id::text) AS maker,
			       COALESCE(round((c.weight / power(NULLIF(p.votes, 0)::float8, 0.4))::numeric, 9), 0) AS affinity
			FROM candidates AS c JOIN product.products AS p ON p.id = c.id
			WHERE p.deleted_at IS NULL
			-- OFFSET 0 looks each one up, instead of reading all votes of a person who has many.
			AND NOT EXISTS (SELECT FROM product.votes AS v WHERE v.person_id = $1 AND v.product_id = p.id OFFSET 0)
		), by_maker AS (
			SELECT *, row_number() OVER (PARTITION BY affinity > 0, maker ORDER BY affinity DESC, votes DESC, id DESC)
			              > greatest(1, $2 / 4) AS same_maker
			FROM scored
		), by_difficulty AS (
			SELECT *, row_number() OVER (
			              PARTITION BY affinity > 0, same_maker, difficulty ORDER BY affinity DESC, votes DESC, id DESC)
			              > ($2 * 3 + 3) / 4 AS same_difficulty
			FROM by_maker
		), placed AS (
			SELECT id, affinity, row_number() OVER (
			           ORDER BY affinity > 0 DESC, same_maker, same_difficulty, affinity DESC, votes DESC, id DESC) AS place
			FROM by_difficulty
		), chosen AS MATERIALIZED (
			SELECT placed.id, affinity, fresh.id IS NOT NULL AS fresh,
			       CASE WHEN fresh.id IS NULL THEN place ELSE least(place, $2 - 0.5) END AS place
			FROM placed LEFT JOIN fresh ON fresh.id = placed.id
			ORDER BY place LIMIT $2
		)
		SELECT ` + columns + `, c.affinity, c.fresh,
		       COALESCE((
		           SELECT voters.name
		           FROM theirs JOIN voters ON voters.person_id = theirs.person_id
		           WHERE c.affinity > 0 AND c.id = ANY (theirs.products)
		           GROUP BY voters.id, voters.name
		           ORDER BY round(sum(voters.weight / cardinality(theirs.products))::numeric, 9) DESC, voters.id
		           LIMIT 1), '') AS because
		FROM chosen AS c JOIN product.products AS p ON p.id = c.id
		ORDER BY c.place`
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
// However many votes there are, it goes by the 150 voters who joined first, as in
// Picks, by the votes of each for the newest 50 products, and compares the 250
// products that most of them voted for. Only indexes lead there, and to the popular
// products that fill up what is missing.
func (s *Store) AlsoLiked(ctx context.Context, id int64, limit int) ([]recommend.Pick, error) {
	const query = `
		WITH voters AS (
			SELECT person_id
			FROM product.votes
			WHERE product_id = $1
			ORDER BY person_id LIMIT 150
		), shared AS (
			SELECT theirs.product_id, count(*) AS voters
			FROM voters CROSS JOIN LATERAL (
				SELECT v.product_id FROM product.votes AS v
				WHERE v.person_id = voters.person_id
				ORDER BY v.product_id DESC LIMIT 50
			) AS theirs
			WHERE theirs.product_id <> $1
			GROUP BY theirs.product_id
			ORDER BY voters DESC, theirs.product_id DESC LIMIT 250
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
		       COALESCE(round((c.voters * c.voters / (c.voters + 3.0::float8) / sqrt(NULLIF(p.votes, 0)))::numeric, 9), 0)
		           AS affinity
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
