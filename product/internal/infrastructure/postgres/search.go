package postgres

import (
	"context"
	"fmt"
	"math"

	"craftista/product/internal/core"

	"github.com/lib/pq"
)

// search returns the page of pieces that have every word of the query. It takes
// the nearest pieces of the rarest word, or walks along the order, whichever is
// sooner done, and asks these for all words until the page is full. So a page
// takes about as long among a million pieces as among a thousand.
func (s *Store) search(ctx context.Context, p core.Page) ([]core.Product, error) {
	terms, total, err := s.terms(ctx, p.Query)
	if err != nil {
		return nil, err
	}
	if len(terms) == 0 {
		p.Query = ""
		return s.Products(ctx, p)
	}
	var found []core.Product // none, if there is no way: a word that nothing has
	for _, way := range ways(terms, total, p.Sort, p.Limit) {
		if found, err = s.find(ctx, p, terms, way.candidates); err != nil || len(found) == p.Limit {
			return found, err
		}
		if way.steps == 0 {
			continue
		}
		if more, err := s.goesOn(ctx, p, way.steps); err != nil || !more {
			return found, err
		}
	}
	return found, nil
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

// nameMost is how many words are counted, and named, that begin as asked for.
const nameMost = 500

// match is what a word asked for may mean: all words that begin so, or one that
// it may misspell.
type match struct {
	Asked  string         `db:"asked"`
	Begins bool           `db:"begins"`
	Words  pq.StringArray `db:"words"`
	Pieces int64          `db:"pieces"`
	Held   int64          `db:"held"`
	Total  float64        `db:"total"` // of pieces, about
}

// matches looks the words of a text up, each together with those it may misspell
// after it, if none begins so.
func (s *Store) matches(ctx context.Context, text string) (found []match, err error) {
	const query = `
		WITH asked AS MATERIALIZED (
		    SELECT a.word, t.total, w.words, w.pieces, w.held
		      FROM unnest(product.words_of($1)) AS a (word),
		           (SELECT greatest(c.reltuples, 1000)::bigint AS total
		              FROM pg_catalog.pg_class AS c
		             WHERE c.oid = 'product.products'::regclass) AS t,
		           LATERAL (SELECT CASE WHEN count(*) <= $2 THEN array_agg(w.word) END AS words,
		                           CASE WHEN count(*) <= $2 THEN sum(w.pieces) ELSE $3 END AS pieces,
		                           CASE WHEN count(*) <= $2 THEN sum(least(w.pieces, t.total / $4)) ELSE $3 END AS held
		                      FROM (SELECT w.word, w.pieces
		                              FROM product.words AS w
		                             WHERE w.word >= a.word
		                               AND w.word < a.word || U&'\+10FFFF'
		                             LIMIT $2 + 1) AS w) AS w
		)
		SELECT a.word AS asked, true AS begins, a.words, coalesce(a.pieces, 0) AS pieces, coalesce(a.held, 0) AS held, a.total
		  FROM asked AS a
		 UNION ALL
		SELECT DISTINCT a.word, false, ARRAY[w.word], w.pieces, least(w.pieces, a.total / $4), a.total
		  FROM asked AS a,
		       product.misspellings_of(a.word) AS m (misspelling),
		       product.misspellings AS s,
		       product.words AS w
		 WHERE a.pieces IS NULL
		   AND length(a.word) >= 4
		   AND s.misspelling = m.misspelling
		   AND w.word = s.word
		 ORDER BY asked, begins DESC, words`
	if err := s.db.SelectContext(ctx, &found, query, text, nameMost, int64(math.MaxInt64), bitmapShare); err != nil {
		return nil, fmt.Errorf("look up words: %w", err)
	}
	return found, nil
}

// terms returns a term for each word of the query, and about how many pieces
// there are in all.
func (s *Store) terms(ctx context.Context, text string) (terms []term, total float64, err error) {
	found, err := s.matches(ctx, text)
	if err != nil {
		return nil, 0, err
	}
	for _, m := range found {
		if m.Begins {
			total = m.Total
			terms = append(terms, term{asked: m.Asked, words: m.Words, pieces: m.Pieces, held: m.Held})
			continue
		}
		t := &terms[len(terms)-1]
		edits, may := core.Misspells(m.Asked, m.Words[0])
		if !may || t.asked == "" && edits > t.edits {
			continue
		}
		if t.asked != "" || edits < t.edits {
			*t = term{edits: edits}
		}
		t.words, t.pieces, t.held = append(t.words, m.Words...), t.pieces+m.Pieces, t.held+m.Held
	}
	return terms, total, nil
}
