package postgres

import (
	"strings"

	"craftista/product/internal/core"

	"github.com/lib/pq"
)

// chunkSize is how many ids a row of product.postings is for.
const chunkSize = 8192

// term is what one word of a query looks for.
type term struct {
	asked  string   // it finds what begins so; "" if it finds the words only
	words  []string // all that it finds; nil if they are too many to name
	edits  int      // that make the word asked for into these
	pieces int64    // that have it
	held   int64    // what it takes to keep them in memory: as much as so many ids
}

// part is the part of the postings to look at: that many chunks, or all if 0,
// from the first on.
type part struct{ first, chunks int64 }

// rows is a condition for the postings of the term in the part.
func (t term) rows(in part, args *arguments) string {
	var rows string
	if t.words != nil {
		rows = `g.word = ANY (` + args.add(pq.Array(t.words)) + `)`
	} else {
		word := args.add(t.asked)
		rows = `g.word >= ` + word + ` AND g.word < ` + word + ` || U&'\+10FFFF'`
	}
	if in.first > 0 {
		rows += ` AND g.chunk >= ` + args.add(in.first)
	}
	if in.chunks > 0 {
		rows += ` AND g.chunk < ` + args.add(in.first+in.chunks)
	}
	return rows
}

// each selects each piece of ids once.
func (t term) each() string {
	if len(t.words) == 1 {
		return "SELECT "
	}
	return "SELECT DISTINCT "
}

// ids is a subquery for the pieces of the term; of two words, some come twice.
func (t term) ids(in part, args *arguments) string {
	return `SELECT g.chunk * 8192 + unnest(g.offsets) AS id FROM product.postings AS g WHERE ` + t.rows(in, args)
}

// placed is ids with the places in an order. It reads the places of a chunk once
// for all offsets; OFFSET keeps PostgreSQL from reading them for each.
func (t term) placed(sort core.Sort, args *arguments) string {
	half := `SELECT p.places FROM product.places AS p WHERE p.sort = ` + args.add(sort) + ` AND p.half = g.chunk * 2`
	return `
	SELECT g.chunk * 8192 + n AS id,
	       CASE WHEN n < 4096
	            THEN substring(g.lower FROM n * 4 + 1 FOR 4)
	            ELSE substring(g.upper FROM (n - 4096) * 4 + 1 FOR 4)
	       END AS place
	  FROM (SELECT g.chunk, g.offsets, (` + half + `) AS lower, (` + half + ` + 1) AS upper
	          FROM product.postings AS g
	         WHERE ` + t.rows(part{}, args) + `
	        OFFSET 0) AS g,
	       unnest(g.offsets) AS n`
}

// has is a condition for an id of the part to be of the term. PostgreSQL keeps
// the pieces of its common words in a bitmap, and those of the others in a hash
// table if it may believe that they fit.
func (t term) has(in part, args *arguments) string {
	if t.held == t.pieces { // no word is common
		return `(id IN (` + t.ids(in, args) + ` LIMIT ` + args.add(2*holdMost) + `)) IS TRUE`
	}
	first := args.add(in.first * chunkSize)
	return `(get_bit((` + t.bitmap(in, args) + `), (id - ` + first + `) # 7) = 1 OR id IN (` + t.ids(in, args) + ` AND g.bits IS NULL LIMIT ` + args.add(2*holdMost) + `))`
}

// bitmap is a subquery for bytes with a bit for each id of the part, up to the
// last, set if the piece has a common word of the term: get_bit counts from the
// other end of a byte than bit_send.
func (t term) bitmap(in part, args *arguments) string {
	last := `(SELECT max(p.id) >> 13 FROM product.products AS p)`
	if in.chunks > 0 {
		last = args.add(in.first+in.chunks-1) + `::bigint`
	}
	bits, group := "g.bits", ""
	if len(t.words) != 1 {
		bits, group = "bit_or(g.bits) AS bits", `
	              GROUP BY g.chunk`
	}
	return `
	SELECT string_agg(coalesce(substring(bit_send(b.bits) FROM 5), decode(repeat('00', 1024), 'hex')), '' ORDER BY c.chunk)
	  FROM generate_series(` + args.add(in.first) + `::bigint, ` + last + `) AS c (chunk)
	  LEFT JOIN (SELECT g.chunk, ` + bits + `
	               FROM product.postings AS g
	              WHERE ` + t.rows(in, args) + `
	                AND g.bits IS NOT NULL` + group + `) AS b
	    ON b.chunk = c.chunk`
}

// allHave is a condition for an id of the part to be of all the terms.
func allHave(terms []term, in part, args *arguments) string {
	conditions := []string{"true"}
	for _, t := range terms {
		conditions = append(conditions, t.has(in, args))
	}
	return strings.Join(conditions, " AND ")
}

// tsquery asks a piece for all of the terms.
func tsquery(terms []term) string {
	quote := func(word string) string {
		return "'" + strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(word) + "'"
	}
	all := make([]string, len(terms))
	for i, t := range terms {
		if t.asked != "" {
			all[i] = quote(t.asked) + ":*"
			continue
		}
		either := make([]string, len(t.words))
		for n, word := range t.words {
			either[n] = quote(word)
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
	 WHERE ` + allHave(terms, part{}, args) + `
	 ORDER BY ` + o.by
	}
}

// sorted are the pieces of the first term that are of the others.
func sorted(first term, others ...term) candidates {
	return func(o order, args *arguments) string {
		return o.look(`SELECT id FROM (` + first.ids(part{}, args) + `) AS g WHERE ` + allHave(others, part{}, args))
	}
}

// nearest are those of sorted that have the next places, at least n of them
// unless there are fewer.
func nearest(n int, first term, others ...term) candidates {
	return func(o order, args *arguments) string {
		place := o.place(args)
		return o.look(`
	WITH c AS MATERIALIZED (
	    ` + first.each() + `id, place FROM (` + first.placed(o.page.Sort, args) + `) AS g WHERE ` + allHave(others, part{}, args) + `
	)
	SELECT id FROM c WHERE place = ` + place + `
	 UNION ALL
	(SELECT id FROM c WHERE place > ` + place + ` ORDER BY place FETCH FIRST ` + args.add(n) + ` ROWS WITH TIES)`)
	}
}

// within are those of sorted by id that are in the next chunks.
func within(chunks int64, first term, others ...term) candidates {
	return func(o order, args *arguments) string {
		in := part{first: max(0, o.page.After.ID) / chunkSize, chunks: chunks}
		return first.each() + `id
	  FROM (` + first.ids(in, args) + `) AS g
	 WHERE ` + o.after + `
	   AND ` + allHave(others, in, args) + `
	 ORDER BY id`
	}
}
