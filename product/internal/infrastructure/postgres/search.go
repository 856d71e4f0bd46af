package postgres

import (
	"context"
	"fmt"
	"strings"

	"craftista/product/internal/core"
)

const (
	// gatherMost is up to how many pieces with a word are looked at one by one.
	// Of a million pieces, one in 200 has a commoner word: looking along the order
	// for a page of them is less work then.
	gatherMost = 5000

	// walkMost is how many pieces of the order are looked at before it must be
	// that the words, common as each may be, rarely come together.
	walkMost = 10000
)

// term is what one word of a query looks for.
type term struct {
	query  string // a tsquery
	pieces int64  // that have it, about
}

// search returns the page of pieces that have every word of the query. Either it
// gathers the pieces that have the rarest word, and sorts those that have the
// others too; or, if even that word is common, it walks along the order until
// the page is full. Both take as long with a million pieces as with some
// thousands.
func (s *Store) search(ctx context.Context, p core.Page) ([]core.Product, error) {
	terms, err := s.terms(ctx, p.Query)
	if err != nil {
		return nil, err
	}
	if len(terms) == 0 {
		p.Query = ""
		return s.Products(ctx, p)
	}
	rarest, all := terms[0], make([]string, len(terms))
	for i, t := range terms {
		all[i] = t.query
		if t.pieces < rarest.pieces {
			rarest = t
		}
	}
	both := strings.Join(all, " & ")
	switch {
	case rarest.pieces == 0:
		return nil, nil
	case rarest.pieces <= gatherMost:
		return s.gather(ctx, p, rarest.query, both)
	}
	found, err := s.walk(ctx, p, both)
	if err != nil || len(found) == p.Limit {
		return found, err
	}
	if more, err := s.beyondWalk(ctx, p); err != nil || !more {
		return found, err
	}
	return s.gather(ctx, p, both, both)
}

// terms returns a term for each word of the query.
func (s *Store) terms(ctx context.Context, text string) ([]term, error) {
	const query = `
		WITH asked AS MATERIALIZED (
		    SELECT a.word,
		           (SELECT sum(w.pieces)
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
	if err := s.db.SelectContext(ctx, &rows, query, text); err != nil {
		return nil, fmt.Errorf("look up words: %w", err)
	}
	var terms []term
	at := map[string]int{} // where the term of a word is
	for _, r := range rows {
		if r.Known == "" {
			at[r.Asked] = len(terms)
			terms = append(terms, term{query: quote(r.Asked) + ":*", pieces: r.Pieces})
		} else if core.Misspells(r.Asked, r.Known) {
			t := &terms[at[r.Asked]]
			t.query, t.pieces = "("+t.query+" | "+quote(r.Known)+")", t.pieces+r.Pieces
		}
	}
	return terms, nil
}

// quote makes a lexeme of a word.
func quote(word string) string {
	return "'" + strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(word) + "'"
}

// gather finds the pieces by the index of words. The index is asked for the
// rarest word only: it would read the whole lists of the others.
func (s *Store) gather(ctx context.Context, p core.Page, rarest, all string) ([]core.Product, error) {
	o := orderOf(p)
	query := `
	  WITH found AS MATERIALIZED (
	       SELECT product_id
	         FROM product.search
	        WHERE words @@ $4::tsquery
	          AND (words @@ $5::tsquery) IS TRUE)` + selectProduct + `
	  JOIN found ON found.product_id = id
	 WHERE ` + o.after + `
	 ORDER BY ` + o.by + `
	 LIMIT $3`
	return s.selectProducts(ctx, query, append(o.args, p.Limit, rarest, all)...)
}

// walk finds the pieces by the index of the order. The words are asked for in a
// subquery of each row, so that nothing but walking comes to PostgreSQL's mind.
func (s *Store) walk(ctx context.Context, p core.Page, all string) ([]core.Product, error) {
	o := orderOf(p)
	query := `
	SELECT p.*
	  FROM (` + selectProduct + `
	         WHERE ` + o.after + `
	         ORDER BY ` + o.by + `
	         LIMIT $4) AS p
	 WHERE (SELECT s.words FROM product.search AS s WHERE s.product_id = p.id) @@ $5::tsquery
	 ORDER BY ` + o.by + `
	 LIMIT $3`
	return s.selectProducts(ctx, query, append(o.args, p.Limit, walkMost, all)...)
}

// beyondWalk reports whether the order goes on where walk gave up.
func (s *Store) beyondWalk(ctx context.Context, p core.Page) (more bool, err error) {
	o := orderOf(p)
	query := `
	SELECT count(*) = $3
	  FROM (SELECT
	          FROM product.products
	         WHERE ` + o.after + `
	         ORDER BY ` + o.by + `
	         LIMIT $3) AS p`
	if err := s.db.GetContext(ctx, &more, query, append(o.args, walkMost)...); err != nil {
		return false, fmt.Errorf("count pieces ahead: %w", err)
	}
	return more, nil
}
