package postgres

import (
	"context"
	"fmt"
	"math"

	"craftista/product/internal/core"
)

// search returns the page of pieces that have every word of the query. It sorts
// the pieces of the rarest word, or walks along the order, whichever is sooner
// done, and asks these for all words until the page is full. So a page takes
// about as long among a million pieces as among a thousand.
func (s *Store) search(ctx context.Context, p core.Page) ([]core.Product, error) {
	terms, total, err := s.terms(ctx, p.Query)
	if err != nil {
		return nil, err
	}
	if len(terms) == 0 {
		p.Query = ""
		return s.Products(ctx, p)
	}
	for _, way := range ways(terms, total, p.Sort, p.Limit) {
		found, err := s.find(ctx, p, terms, way.candidates)
		if err != nil || len(found) == p.Limit || way.steps == 0 {
			return found, err
		}
		if more, err := s.goesOn(ctx, p, way.steps); err != nil || !more {
			return found, err
		}
	}
	return nil, nil // a word that nothing has
}

// goesOn reports whether more than so many pieces are ahead in the order.
func (s *Store) goesOn(ctx context.Context, p core.Page, steps int) (more bool, err error) {
	var args arguments
	query := `
	SELECT count(*) > ` + args.add(steps) + `
	  FROM (` + orderOf(p, &args).ahead(steps+1, &args) + `) AS p`
	if err := s.db.GetContext(ctx, &more, query, args...); err != nil {
		return false, fmt.Errorf("count pieces ahead: %w", err)
	}
	return more, nil
}

// find returns a page of those candidates that have every term.
func (s *Store) find(ctx context.Context, p core.Page, terms []term, from candidates) ([]core.Product, error) {
	var args arguments
	o := orderOf(p, &args)
	query := selectProduct + `
	   AND id = ANY (ARRAY (
	       SELECT c.id
	         FROM (` + from(o, &args) + `) AS c
	        WHERE (SELECT s.words FROM product.search AS s WHERE s.product_id = c.id) @@ ` + args.add(tsquery(terms)) + `::tsquery
	        ORDER BY ` + o.by + `
	        LIMIT ` + args.add(p.Limit) + `))
	 ORDER BY ` + o.by
	return s.selectProducts(ctx, query, args)
}

// terms returns a term for each word of the query, and about how many pieces
// there are in all.
func (s *Store) terms(ctx context.Context, text string) (terms []term, total float64, err error) {
	const query = `
		WITH asked AS MATERIALIZED (
		    SELECT a.word, t.total, w.pieces, w.held
		      FROM unnest(product.words_of($1)) AS a (word),
		           (SELECT greatest(c.reltuples, 1000)::bigint AS total
		              FROM pg_catalog.pg_class AS c
		             WHERE c.oid = 'product.products'::regclass) AS t,
		           LATERAL (SELECT CASE WHEN count(*) < 1000 THEN sum(w.pieces) ELSE $2 END AS pieces,
		                           CASE WHEN count(*) < 1000 THEN sum(least(w.pieces, t.total / $3)) ELSE $2 END AS held
		                      FROM (SELECT w.pieces
		                              FROM product.words AS w
		                             WHERE w.word >= a.word
		                               AND w.word < a.word || U&'\+10FFFF'
		                             LIMIT 1000) AS w) AS w
		)
		SELECT a.word AS asked, '' AS known, coalesce(a.pieces, 0) AS pieces, coalesce(a.held, 0) AS held, a.total
		  FROM asked AS a
		 UNION ALL
		SELECT DISTINCT a.word, w.word, w.pieces, least(w.pieces, a.total / $3), a.total
		  FROM asked AS a,
		       product.misspellings_of(a.word) AS m (misspelling),
		       product.misspellings AS s,
		       product.words AS w
		 WHERE a.pieces IS NULL
		   AND length(a.word) >= 4
		   AND s.misspelling = m.misspelling
		   AND w.word = s.word
		 ORDER BY asked, known`
	var rows []struct {
		Asked  string  `db:"asked"`
		Known  string  `db:"known"` // "" for all words that begin with the one asked for
		Pieces int64   `db:"pieces"`
		Held   int64   `db:"held"`
		Total  float64 `db:"total"`
	}
	if err := s.db.SelectContext(ctx, &rows, query, text, int64(math.MaxInt64), bitmapShare); err != nil {
		return nil, 0, fmt.Errorf("look up words: %w", err)
	}
	for _, r := range rows {
		if r.Known == "" {
			total = r.Total
			terms = append(terms, term{words: []string{r.Asked}, prefix: true, pieces: r.Pieces, held: r.Held})
			continue
		}
		t := &terms[len(terms)-1] // its own row sorts first
		edits, may := core.Misspells(r.Asked, r.Known)
		if !may || !t.prefix && edits > t.edits {
			continue
		}
		if t.prefix || edits < t.edits {
			*t = term{edits: edits}
		}
		t.words, t.pieces, t.held = append(t.words, r.Known), t.pieces+r.Pieces, t.held+r.Held
	}
	return terms, total, nil
}
