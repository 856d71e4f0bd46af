package postgres

import (
	"strings"

	"github.com/lib/pq"
)

// term is what one word of a query looks for.
type term struct {
	words  []string
	prefix bool  // the word, then the only one, may go on
	pieces int64 // that have it
}

// ids is a subquery for the pieces of the term; of two words, some come twice.
func (t term) ids(args *arguments) string {
	query := `SELECT g.chunk * 8192 + o FROM product.postings AS g, unnest(g.offsets) AS o WHERE g.word `
	if !t.prefix {
		return query + `= ANY (` + args.add(pq.Array(t.words)) + `)`
	}
	word := args.add(t.words[0])
	return query + `>= ` + word + ` AND g.word < ` + word + ` || U&'\+10FFFF'`
}

// tsquery asks a piece for all of the terms.
func tsquery(terms []term) string {
	all := make([]string, len(terms))
	for i, t := range terms {
		either := make([]string, len(t.words))
		for n, word := range t.words {
			either[n] = "'" + strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(word) + "'"
			if t.prefix {
				either[n] += ":*"
			}
		}
		all[i] = "(" + strings.Join(either, " | ") + ")"
	}
	return strings.Join(all, " & ")
}

// candidates is a subquery for the pieces to ask for the words, in order.
type candidates func(o order, args *arguments) string

// ahead are the next pieces of the order, whatever they have.
func ahead(steps int) candidates {
	return func(o order, args *arguments) string { return o.ahead(steps, args) }
}

// compared are those of the next pieces that are of the term. It hides in an
// expression, for which PostgreSQL keeps the term's pieces in a hash table if it
// may believe that they fit.
func compared(t term, steps int) candidates {
	return func(o order, args *arguments) string {
		return `
	SELECT ` + o.keys + `
	  FROM (` + o.ahead(steps, args) + `) AS p
	 WHERE (id IN (` + t.ids(args) + ` LIMIT ` + args.add(2*holdMost) + `)) IS TRUE
	 ORDER BY ` + o.by
	}
}

// sorted are the pieces of all the terms.
func sorted(terms ...term) candidates {
	return func(o order, args *arguments) string {
		ids := make([]string, len(terms))
		for i, t := range terms {
			ids[i] = t.ids(args)
		}
		return `
	SELECT ` + o.keys + `
	  FROM product.products
	 WHERE deleted_at IS NULL
	   AND ` + o.after + `
	   AND id = ANY (ARRAY (` + strings.Join(ids, " INTERSECT ") + `))
	 ORDER BY ` + o.by
	}
}
