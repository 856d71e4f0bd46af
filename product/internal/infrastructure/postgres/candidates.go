package postgres

import (
	"strings"

	"craftista/product/internal/core"

	"github.com/lib/pq"
)

// term is what one word of a query looks for.
type term struct {
	words  []string
	prefix bool  // the word, then the only one, may go on
	edits  int   // that make the word asked for into these
	pieces int64 // that have it
	held   int64 // what it takes to keep them in memory: as much as so many ids
}

// rows is a condition for the postings of the term.
func (t term) rows(args *arguments) string {
	if !t.prefix {
		return `g.word = ANY (` + args.add(pq.Array(t.words)) + `)`
	}
	word := args.add(t.words[0])
	return `g.word >= ` + word + ` AND g.word < ` + word + ` || U&'\+10FFFF'`
}

// ids is a subquery for the pieces of the term; of two words, some come twice.
func (t term) ids(args *arguments) string {
	return `SELECT g.chunk * 8192 + unnest(g.offsets) AS id FROM product.postings AS g WHERE ` + t.rows(args)
}

// has is a condition for an id to be of the term. PostgreSQL keeps the pieces of
// its common words in a bitmap, and those of the others in a hash table if it may
// believe that they fit.
func (t term) has(args *arguments) string {
	if t.held == t.pieces { // no word is common
		return `(id IN (` + t.ids(args) + ` LIMIT ` + args.add(2*holdMost) + `)) IS TRUE`
	}
	return `(get_bit((` + t.bitmap(args) + `), id # 7) = 1 OR id IN (` + t.ids(args) + ` AND g.bits IS NULL LIMIT ` + args.add(2*holdMost) + `))`
}

// bitmap is a subquery for bytes with a bit for each id up to the last, set if
// the piece has a common word of the term: get_bit counts from the other end of
// a byte than bit_send.
func (t term) bitmap(args *arguments) string {
	return `
	SELECT string_agg(coalesce(substring(bit_send(b.bits) FROM 5), decode(repeat('00', 1024), 'hex')), '' ORDER BY c.chunk)
	  FROM generate_series(0, (SELECT max(p.id) >> 13 FROM product.products AS p)) AS c (chunk)
	  LEFT JOIN (SELECT g.chunk, bit_or(g.bits) AS bits
	               FROM product.postings AS g
	              WHERE ` + t.rows(args) + `
	                AND g.bits IS NOT NULL
	              GROUP BY g.chunk) AS b
	    ON b.chunk = c.chunk`
}

// allHave is a condition for an id to be of all the terms.
func allHave(terms []term, args *arguments) string {
	conditions := []string{"true"}
	for _, t := range terms {
		conditions = append(conditions, t.has(args))
	}
	return strings.Join(conditions, " AND ")
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

// ahead are those of the next pieces of the order that are of the terms.
func ahead(steps int, terms ...term) candidates {
	return func(o order, args *arguments) string {
		return `
	SELECT ` + o.keys + `
	  FROM (` + o.ahead(steps, args) + `) AS p
	 WHERE ` + allHave(terms, args) + `
	 ORDER BY ` + o.by
	}
}

// sorted are the pieces of the first term that are of the others.
func sorted(first term, others ...term) candidates {
	return func(o order, args *arguments) string {
		ids := `SELECT DISTINCT id FROM (` + first.ids(args) + `) AS g WHERE ` + allHave(others, args)
		if o.keys == string(core.SortID) {
			return ids + ` AND ` + o.after + ` ORDER BY id`
		}
		return `
	SELECT ` + o.keys + `
	  FROM product.products
	 WHERE deleted_at IS NULL
	   AND ` + o.after + `
	   AND id = ANY (ARRAY (` + ids + `))
	 ORDER BY ` + o.by
	}
}
