package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"craftista/product/internal/core"
	"craftista/shared/pg"
)

const (
	// spareSteps is how many times as many products are read along an order as
	// would fill a page if matches were spread evenly.
	spareSteps = 2

	// minSteps are read in any case: they take some milliseconds, and of few the
	// matches would too often be fewer than on average.
	minSteps = 1000

	// maxRatio: a word that more than so many times as many products have as the
	// rarest one is not read from the index. To read all its entries takes longer
	// than to read the products with the rarest word.
	maxRatio = 32
)

// search returns the page of products that have every word of the query. Few
// matches are read from the index of words and sorted. Of many, a page is full
// sooner by reading products in its order and leaving out those that do not match.
func (s *Store) search(ctx context.Context, p core.Page) ([]core.Product, error) {
	ctx = pg.PlanEachTime(ctx) // which index is best depends on the words
	terms, total, err := s.terms(ctx, p.Query)
	if err != nil {
		return nil, err
	}
	if len(terms) == 0 {
		p.Query = ""
		return s.Products(ctx, p)
	}
	matching := share(terms, total)
	if matching == 0 { // no product has one of the words
		return nil, nil
	}
	if steps := stepsAlong(matching, total, p.Limit); steps > 0 {
		found, complete, err := s.filterOrder(ctx, p, terms, steps)
		if err != nil || complete {
			return found, err
		}
	}
	return s.sortMatches(ctx, p, terms)
}

// share is the part of all products that match, if words come together by chance.
func share(terms []term, total float64) float64 {
	matching := 1.0
	for _, t := range terms {
		matching *= min(1, float64(t.products)/total)
	}
	return matching
}

// stepsAlong is how many products of the order to filter, or 0 if it takes less
// to read the products that match. Among a million, for a page of 25, these are
// less than 5,000.
func stepsAlong(matching, total float64, limit int) int {
	steps := float64(limit) / matching
	if steps >= matching*total {
		return 0
	}
	return int(max(minSteps, spareSteps*steps))
}

// sortMatches finds all products that match before it sorts them. OFFSET keeps
// PostgreSQL from reading the frequent words from the index too.
func (s *Store) sortMatches(ctx context.Context, p core.Page, terms []term) ([]core.Product, error) {
	var args arguments
	o := orderOf(p, &args)
	query := selectProduct + `
	   AND ` + o.after + `
	   AND id = ANY (ARRAY (
	       SELECT s.product_id
	         FROM (SELECT product_id, words
	                 FROM product.search
	                WHERE words @@ ` + args.add(tsquery(rarest(terms))) + `::tsquery
	               OFFSET 0) AS s
	        WHERE s.words @@ ` + args.add(tsquery(terms)) + `::tsquery))
	 ORDER BY ` + o.by + `
	 LIMIT ` + args.add(p.Limit)
	return s.selectProducts(ctx, query, args)
}

// rarest leaves out the terms that are too frequent to be read from the index.
func rarest(terms []term) []term {
	least := slices.MinFunc(terms, func(a, b term) int { return cmp.Compare(a.products, b.products) })
	return slices.DeleteFunc(slices.Clone(terms), func(t term) bool { return t.products > maxRatio*least.products })
}

// filterOrder returns those of the next so many products of the order that
// match. The page is complete if it is full or no more products follow.
func (s *Store) filterOrder(ctx context.Context, p core.Page, terms []term, steps int) (
	found []core.Product, complete bool, err error,
) {
	var args arguments
	o := orderOf(p, &args)
	ahead := `
	SELECT ` + o.keys + `
	  FROM product.products
	 WHERE deleted_at IS NULL
	   AND ` + o.after + `
	 ORDER BY ` + o.by + `
	 LIMIT ` + args.add(steps)
	count, countArgs := `SELECT count(*) FROM (`+ahead+`) AS p`, args
	query := selectProduct + `
	   AND id = ANY (ARRAY (
	       SELECT p.id
	         FROM (` + ahead + `) AS p
	        WHERE (SELECT s.words
	                 FROM product.search AS s
	                WHERE s.product_id = p.id) @@ ` + args.add(tsquery(terms)) + `::tsquery
	        ORDER BY ` + o.by + `
	        LIMIT ` + args.add(p.Limit) + `))
	 ORDER BY ` + o.by
	found, err = s.selectProducts(ctx, query, args)
	if err != nil || len(found) == p.Limit {
		return found, true, err
	}
	var read int
	if err := s.db.GetContext(ctx, &read, count, countArgs...); err != nil {
		return nil, false, fmt.Errorf("count products ahead: %w", err)
	}
	return found, read < steps, nil
}

// term is what one word of a query looks for.
type term struct {
	words    string // a tsquery
	products int64  // that have it
}

// terms returns a term for each word of the query, and about how many products
// there are in all.
func (s *Store) terms(ctx context.Context, text string) (terms []term, total float64, err error) {
	const query = `
		SELECT a.word AS asked, coalesce(sum(w.products), 0) AS products,
		       (SELECT greatest(reltuples, 1000) FROM pg_catalog.pg_class WHERE oid = 'product.products'::regclass) AS total
		  FROM unnest(product.words_of($1)) AS a (word)
		  LEFT JOIN product.words AS w ON w.word >= a.word AND w.word < a.word || U&'\+10FFFF'
		 GROUP BY a.word`
	var found []struct {
		Asked    string  `db:"asked"`
		Products int64   `db:"products"`
		Total    float64 `db:"total"`
	}
	if err := s.db.SelectContext(ctx, &found, query, withoutEmoji(text)); err != nil {
		return nil, 0, fmt.Errorf("look up words: %w", err)
	}
	for _, f := range found {
		t := term{words: quote(f.Asked) + ":*", products: f.Products}
		if f.Products == 0 {
			if t, err = s.corrected(ctx, f.Asked); err != nil {
				return nil, 0, err
			}
		}
		terms, total = append(terms, t), f.Total
	}
	return terms, total, nil
}

// withoutEmoji blanks what product.words_of would take for letters: whatever else is beyond
// U+FFFF, emoji above all.
func withoutEmoji(text string) string {
	return strings.Map(func(c rune) rune {
		if c > 0xffff && !unicode.In(c, unicode.L, unicode.M, unicode.N) {
			return ' '
		}
		return c
	}, text)
}

// corrected looks for the words that need the fewest edits to become the one
// asked for, with which no word begins.
func (s *Store) corrected(ctx context.Context, asked string) (t term, err error) {
	// A swap of letters counts as two here.
	const query = `
		SELECT word, products
		  FROM product.words
		 WHERE length(word) BETWEEN length($1) - $2 AND length($1) + $2
		   AND product.levenshtein_less_equal(word, $1, 2 * $2) <= 2 * $2
		 ORDER BY word`
	least := core.MaxEdits(asked)
	if least == 0 {
		return t, nil
	}
	var near []struct {
		Word     string `db:"word"`
		Products int64  `db:"products"`
	}
	if err := s.db.SelectContext(ctx, &near, query, asked, least); err != nil {
		return t, fmt.Errorf("look up similar words: %w", err)
	}
	var words []string
	for _, n := range near {
		edits := core.Edits(asked, n.Word)
		if edits < least {
			words, t.products, least = nil, 0, edits
		}
		if edits == least {
			words, t.products = append(words, quote(n.Word)), t.products+n.Products
		}
	}
	t.words = "(" + strings.Join(words, " | ") + ")"
	return t, nil
}

// quote makes a lexeme of a tsquery. No word has a quote or a backslash in it.
func quote(word string) string {
	return "'" + word + "'"
}

// tsquery asks for all of the terms.
func tsquery(terms []term) string {
	all := make([]string, len(terms))
	for i, t := range terms {
		all[i] = t.words
	}
	return strings.Join(all, " & ")
}
