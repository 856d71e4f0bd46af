package postgres

import (
	"context"
	"fmt"
	"math"

	"craftista/product/internal/core"
)

const (
	// sortMost is up to how many pieces of a word are sorted. Of a word that more
	// pieces have, the order comes to a page full sooner.
	sortMost = 2000

	// The pieces of a word are held in memory, to compare the order with, up to so
	// many. To hold more takes longer than to ask each piece of the order for a
	// word as common; it is worth it, up to a limit, once asking did not help.
	holdMost     = 25_000
	holdMostLate = 60_000

	// A walk along the order gives up after so many pieces that are compared or
	// asked: the words must be rarer ahead than elsewhere, or seldom together.
	compareMost = 50_000
	askMost     = 5000
)

// search returns the page of pieces that have every word of the query. It sorts
// the pieces of the rarest word, or walks along the order, whichever is sooner
// done, and asks these for all words until the page is full. So a page takes
// about as long among a million pieces as among a thousand.
func (s *Store) search(ctx context.Context, p core.Page) ([]core.Product, error) {
	terms, err := s.terms(ctx, p.Query)
	if err != nil {
		return nil, err
	}
	if len(terms) == 0 {
		p.Query = ""
		return s.Products(ctx, p)
	}
	for _, way := range ways(terms) {
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

// way is a way to find pieces: those that have all words are among the
// candidates, or as many steps ahead in the order.
type way struct {
	candidates candidates
	steps      int // 0 for all pieces that there are
}

// ways are those worth trying, one after the other.
func ways(terms []term) []way {
	rarest := terms[0]
	for _, t := range terms {
		if t.pieces < rarest.pieces {
			rarest = t
		}
	}
	ask, compare := way{ahead, askMost}, way{compared(rarest), compareMost}
	sort, sortAll := way{sorted(rarest), 0}, way{sorted(terms...), 0}
	switch n := rarest.pieces; {
	case n == 0:
		return nil
	case n <= sortMost:
		return []way{sort}
	case n <= holdMost:
		return []way{compare, sortAll}
	case n <= holdMostLate:
		return []way{ask, compare, sortAll}
	default:
		return []way{ask, sortAll}
	}
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
	 WHERE id = ANY (ARRAY (
	       SELECT c.id
	         FROM (` + from(o, &args) + `) AS c
	        WHERE (SELECT s.words FROM product.search AS s WHERE s.product_id = c.id) @@ ` + args.add(tsquery(terms)) + `::tsquery
	        ORDER BY ` + o.by + `
	        LIMIT ` + args.add(p.Limit) + `))
	 ORDER BY ` + o.by
	return s.selectProducts(ctx, query, args)
}

// terms returns a term for each word of the query.
func (s *Store) terms(ctx context.Context, text string) ([]term, error) {
	const query = `
		WITH asked AS MATERIALIZED (
		    SELECT a.word,
		           (SELECT CASE WHEN count(*) < 1000 THEN sum(w.pieces) ELSE $2 END
		              FROM (SELECT w.pieces
		                      FROM product.words AS w
		                     WHERE w.word >= a.word
		                       AND w.word < a.word || U&'\+10FFFF'
		                     LIMIT 1000) AS w) AS pieces
		      FROM unnest(product.words_of($1)) AS a (word)
		)
		SELECT a.word AS asked, '' AS known, coalesce(a.pieces, 0) AS pieces
		  FROM asked AS a
		 UNION ALL
		SELECT DISTINCT a.word, w.word, w.pieces
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
		Asked  string `db:"asked"`
		Known  string `db:"known"` // "" for all words that begin with the one asked for
		Pieces int64  `db:"pieces"`
	}
	if err := s.db.SelectContext(ctx, &rows, query, text, int64(math.MaxInt64)); err != nil {
		return nil, fmt.Errorf("look up words: %w", err)
	}
	var terms []term
	for _, r := range rows {
		if r.Known == "" {
			terms = append(terms, term{words: []string{r.Asked}, prefix: true, pieces: r.Pieces})
		} else if core.Misspells(r.Asked, r.Known) {
			t := &terms[len(terms)-1] // its own row sorts first
			if t.prefix {
				*t = term{}
			}
			t.words, t.pieces = append(t.words, r.Known), t.pieces+r.Pieces
		}
	}
	return terms, nil
}
