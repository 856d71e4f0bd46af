package postgres

import (
	"cmp"
	"slices"

	"craftista/product/internal/core"
)

// What things cost, in microseconds, on a machine with two cores. Only their
// ratios matter.
const (
	readCost  = 0.3 // to read the id of a piece of a word
	placeCost = 0.3 // to read its place too, and sort it
	lookCost  = 5   // to look up the key of a piece, and sort it
	holdCost  = 0.3 // to keep the id of a piece in memory
	stepCost  = 0.1 // to read a key of the order
	testCost  = 0.1 // to find its id in memory
	askCost   = 4   // to ask a piece for words
)

const (
	// holdMost is how many ids of a term are kept in memory at most.
	holdMost = 60_000

	// walkMost is how many steps of the order are tried at most.
	walkMost = 100_000

	// bitmapShare: the ids of a word that more than 1 in so many pieces have are
	// kept in a bitmap, which takes as long as to keep these few one by one.
	bitmapShare = 512

	// spare is how many times as much is read as would do if words came together
	// as often as by chance, everywhere in the order.
	spare = 2
)

// way is a way to find pieces: the candidates are, in order, those that have all
// words, or only the first of them, and then perhaps fewer than a page.
type way struct {
	candidates candidates
	steps      int // of the order that they are the first of; 0 if that is not known
}

// weighed is what ways are weighed for: a page of the pieces that have all the
// terms, which are sorted by how many pieces have them.
type weighed struct {
	terms []term
	sort  core.Sort
	page  float64
	total float64 // of pieces
	all   float64 // that have every word, if words come together by chance
}

// ways are those to try, one after the other, to find a page of pieces among the
// total. The first would be the best if words came together by chance and were
// spread evenly; it comes short when they are not. The last has all pieces.
func ways(terms []term, total float64, sort core.Sort, limit int) []way {
	w := weighed{terms: slices.Clone(terms), sort: sort, page: float64(limit), total: total, all: total}
	slices.SortStableFunc(w.terms, func(a, b term) int { return cmp.Compare(a.pieces, b.pieces) })
	for _, t := range terms {
		w.all *= t.share(total)
	}
	if w.all == 0 {
		return nil // a word that nothing has
	}
	fetches, cost := w.fetching()
	held, steps, walkCost := w.walking()
	if cost < walkCost {
		return fetches
	}
	most := int(min(steps*cost/walkCost, walkMost, total)) // no longer than it takes to fetch, which may yet follow
	return append([]way{{ahead(most, held...), most}}, fetches...)
}

// fetching returns the ways that begin with the pieces of the rarest term, and
// what the first of them costs.
func (w weighed) fetching() ([]way, float64) {
	rarest, byID := w.terms[0], w.sort == core.SortID
	part := spare * w.page / max(1, w.all) // of the pieces, from the position on
	if part > 0.5 {
		held, left, cost := w.holding(1, lookCost)
		if byID {
			return []way{{within(0, rarest, held...), 0}}, cost + left*askCost
		}
		return []way{{sorted(rarest, held...), 0}}, cost + left*lookCost + min(left, w.page)*askCost
	}
	if byID {
		held, left, cost := w.holding(part, askCost/spare)
		whole, _, _ := w.holding(1, askCost*part)
		chunks := int64(part*w.total/chunkSize) + 1
		return []way{{within(chunks, rarest, held...), 0}, {within(0, rarest, whole...), 0}}, cost + left/spare*askCost
	}
	held, left, cost := w.holding(1, placeCost+part*(lookCost+askCost))
	cost += left * placeCost
	if len(held) == len(w.terms)-1 { // each has all words
		return []way{{nearest(int(w.page), rarest, held...), 0}}, cost + w.page*(lookCost+askCost)
	}
	n := spare * w.page * left / w.all
	return []way{{nearest(int(n), rarest, held...), 0}, {sorted(rarest, held...), 0}}, cost + n*(lookCost+askCost)
}

// holding returns which terms besides the rarest to keep in memory for a part of
// its pieces, each of which costs something unless it is ruled out; how many are
// left then, and what it costs so far.
func (w weighed) holding(part, each float64) (held []term, left, cost float64) {
	read := float64(w.terms[0].pieces) * part
	held, left, cost = w.ruling(w.terms[1:], read, part, each)
	return held, left, read*readCost + cost
}

// walking returns which terms to keep in memory for a walk along the order, how
// many steps it is until the page is full, and what that costs.
func (w weighed) walking() (held []term, steps, cost float64) {
	steps = w.page * w.total / max(1, w.all)
	if len(w.terms) > 1 {
		steps *= spare // words may seldom meet, and then a walk is for nothing
	}
	held, asked, cost := w.ruling(w.terms, steps, 1, askCost)
	return held, steps, steps*stepCost + cost + asked*askCost
}

// ruling returns which of the terms to keep in memory, each in part, to rule
// pieces out that cost something each; how many are left then, and what it costs.
func (w weighed) ruling(terms []term, pieces, part, each float64) (held []term, left, cost float64) {
	left = pieces
	for _, t := range terms {
		hold := float64(t.held) * part * holdCost
		if t.held <= holdMost && hold < left*(1-t.share(w.total))*each {
			held = append(held, t)
			cost += hold + left*testCost
			left *= t.share(w.total)
		}
	}
	return held, left, cost
}

// share is the part of the total that is of the term.
func (t term) share(total float64) float64 { return min(1, float64(t.pieces)/total) }
