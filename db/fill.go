package db

import (
	"context"
	"database/sql"
	"fmt"
)

// The most that Fill takes on. A product's voters are drawn from 2^20, and one product in a thousand gets some 134
// times the average.
const (
	MaxFillProducts        = 10_000_000
	MaxFillVotesPerProduct = 1000 // on average
)

// Amounts are how many products and votes there are, or are to be.
type Amounts struct{ Products, Votes int64 }

// check is nil when Fill can reach these amounts.
func (a Amounts) check() error {
	switch {
	case a.Products < 0 || a.Products > MaxFillProducts:
		return fmt.Errorf("products must be between 0 and %d", MaxFillProducts)
	case a.Votes < 0 || a.Votes > a.Products*MaxFillVotesPerProduct:
		return fmt.Errorf("votes must be between 0 and %d for each product", MaxFillVotesPerProduct)
	}
	return nil
}

// Fill adds made-up products and votes to a migrated database until it holds the target's amounts, and leaves its
// indexes and statistics as they should be. What is more than the target stays. Progress is told, now and then, how
// much there is.
//
// Products and votes come in statements of a second or so: whenever Fill is interrupted, what it did so far is whole,
// and the next call goes on from there. The voters do not exist: their ids are far above those of people. Services may
// run meanwhile.
//
// The user of adminURL must own the tables, as the one does who called Up.
func Fill(ctx context.Context, adminURL string, target Amounts, progress func(now Amounts)) error {
	if err := target.check(); err != nil {
		return err
	}
	pool, err := open(adminURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	conn, err := lockCurrent(ctx, pool)
	if err != nil {
		return err
	}
	defer conn.Close()
	now, err := amounts(ctx, conn)
	if err != nil {
		return err
	}
	for progress(now); now.Products < target.Products; progress(now) {
		added, err := addProducts(ctx, conn, target.Products-now.Products)
		if err != nil {
			return err
		}
		now.Products += added
	}
	for after := int64(0); now.Votes < target.Votes; progress(now) {
		last, added, err := addVotes(ctx, conn, after, target.Votes-now.Votes)
		if err != nil {
			return err
		}
		after, now.Votes = last, now.Votes+added
	}
	if _, err := conn.ExecContext(ctx, `VACUUM (ANALYZE)`); err != nil { // what autovacuum would do later
		return fmt.Errorf("vacuum: %w", err)
	}
	return nil
}

// amounts counts what there is, and makes the functions that adding needs.
func amounts(ctx context.Context, conn *sql.Conn) (Amounts, error) {
	const query = `
		SELECT (SELECT count(*) FROM product.products),
		       (SELECT count(*) FROM product.votes)`
	var a Amounts
	if _, err := conn.ExecContext(ctx, createDraw); err != nil {
		return Amounts{}, fmt.Errorf("create functions: %w", err)
	}
	if err := conn.QueryRowContext(ctx, query).Scan(&a.Products, &a.Votes); err != nil {
		return Amounts{}, fmt.Errorf("count products and votes: %w", err)
	}
	return a, nil
}

// addProducts adds a batch of the missing products and returns how many.
func addProducts(ctx context.Context, conn *sql.Conn, missing int64) (int64, error) {
	words, err := sources.ReadFile("seed/vocabulary.json")
	if err != nil {
		return 0, fmt.Errorf("read vocabulary: %w", err)
	}
	batch := min(missing, 5000)
	if _, err := conn.ExecContext(ctx, insertProducts, string(words), batch, opening); err != nil {
		return 0, fmt.Errorf("insert made-up products: %w", err)
	}
	return batch, nil
}

// insertProducts inserts $2 products made of the words of $1. A product follows from its id, and comes from the years
// before $3, so that what people add is newer.
const insertProducts = `
	WITH products AS (
	    SELECT nextval('product.products_id_seq') AS id
	      FROM generate_series(1, $2)
	), words AS (
	    SELECT id,
	           4 + pg_temp.draw(id, 1, 20) * pg_temp.draw(id, 2, 8) AS folds,
	           pg_temp.pick(w, 'qualities', id, 3) AS quality,
	           pg_temp.pick(w, 'qualities', id, 4) AS other,
	           pg_temp.pick(w, 'subjects', id, 5) AS subject,
	           pg_temp.pick(w, 'bases', id, 6) AS base,
	           pg_temp.pick(w, 'techniques', id, 7) AS technique,
	           pg_temp.pick(w, 'papers', id, 8) AS paper,
	           pg_temp.pick(w, 'papers', id, 9) AS sheet,
	           pg_temp.pick(w, 'places', id, 10) AS origin,
	           pg_temp.pick(w, 'places', id, 11) AS place,
	           pg_temp.pick(w, 'uses', id, 12) AS use,
	           pg_temp.pick(w, 'remarks', id, 13) AS remark,
	           pg_temp.folder(w, id, 14) AS folder,
	           pg_temp.folder(w, id, 17) AS designer,
	           w -> 'drawings' ->> pg_temp.draw(id, 20, jsonb_array_length(w -> 'drawings'))::integer AS drawing,
	           $3::timestamptz - make_interval(secs => pg_temp.draw(id, 21, 10 * 365 * 24 * 60 * 60)) AS created_at
	      FROM products, (VALUES ($1::jsonb)) AS v (w)
	), named AS (
	    SELECT *,
	           CASE pg_temp.draw(id, 22, 4)
	           WHEN 0 THEN concat_ws(' ', nullif(other, quality), quality, subject)
	           WHEN 1 THEN concat_ws(' ', quality, subject, 'from', origin)
	           WHEN 2 THEN concat_ws(' ', subject, 'after', designer)
	           ELSE concat_ws(' ', quality, subject)
	           END AS name
	      FROM words
	)
	INSERT INTO product.products
	       (id, name, description, image_url, difficulty, folds, paper, created_at, updated_at)
	       OVERRIDING SYSTEM VALUE
	SELECT id,
	       upper(left(name, 1)) || substr(name, 2),
	       format('Folded from %s by %s: %s, then %s %s.', paper, folder, base,
	              CASE WHEN technique ~ '^[aeiou]' THEN 'an' ELSE 'a' END, technique)
	       || CASE WHEN pg_temp.draw(id, 23, 2) = 0 THEN format(' The %s was made for %s in %s.', subject, use, place)
	          ELSE '' END
	       || CASE WHEN pg_temp.draw(id, 24, 2) = 0 THEN ' ' || remark ELSE '' END,
	       '/static/origami/' || drawing || '.svg',
	       CASE WHEN folds > 60 THEN 'advanced' WHEN folds > 24 THEN 'intermediate' ELSE 'easy' END,
	       folds,
	       format('%s cm square, %s', 10 + 5 * pg_temp.draw(id, 25, 8), sheet),
	       created_at,
	       created_at
	  FROM named`

// addVotes gives the products after that id their part of the missing votes, as many products as make a batch, and
// returns the last one's id, or 0 after the last of all.
//
// The votes of a batch are shared in proportion to the products' popularity, which follows from the id: the most
// popular ones get 1000 times the votes of the least. A product's nth made-up vote is of the person start + n * stride,
// where an odd stride visits all of the 2^20 persons, so that none comes twice. Their ids are far above those of
// people.
func addVotes(ctx context.Context, conn *sql.Conn, after, missing int64) (last, added int64, err error) {
	const insert = `
		WITH batch AS (
		    SELECT count(*) AS all, least(count(*), 10000, 1 + 100000 * count(*) / $2) AS size
		      FROM product.products
		     WHERE id > $1
		), products AS (
		    SELECT p.id,
		           1000000 / (1 + pg_temp.draw(p.id, 31, 1000)) AS popularity,
		           (SELECT count(*)
		              FROM product.votes AS v
		             WHERE v.product_id = p.id AND v.person_id >= 1::bigint << 40) AS given
		      FROM product.products AS p
		     WHERE p.id > $1
		     ORDER BY p.id
		     LIMIT (SELECT size FROM batch)
		), sums AS (
		    SELECT p.id, p.given,
		           div(ceil($2::numeric * b.size / b.all) * sum(p.popularity) OVER (ORDER BY p.id),
		               sum(p.popularity) OVER ()) AS sum
		      FROM products AS p, batch AS b
		), parts AS (
		    SELECT id, given, (sum - lag(sum, 1, 0) OVER (ORDER BY id))::bigint AS part,
		           pg_temp.draw(id, 32, 1 << 20) AS start, pg_temp.draw(id, 33, 1 << 20) | 1 AS stride
		      FROM sums
		), votes AS (
		    INSERT INTO product.votes (person_id, product_id)
		    SELECT (1::bigint << 40) + (start + n * stride) % (1 << 20), id
		      FROM parts, generate_series(given, least(given + part, 1 << 20) - 1) AS n
		    RETURNING product_id
		)
		SELECT coalesce((SELECT max(id) FROM products), 0), (SELECT count(*) FROM votes)`
	if err := conn.QueryRowContext(ctx, insert, after, missing).Scan(&last, &added); err != nil {
		return 0, 0, fmt.Errorf("insert made-up votes: %w", err)
	}
	return last, added, nil
}
