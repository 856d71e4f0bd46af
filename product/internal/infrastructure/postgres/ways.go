package postgres

import (
	"cmp"
	"slices"

	"craftista/product/internal/core"
)

// What things cost, in microseconds, on a machine with two cores. Only their
// ratios matter.
const (
	readCost = 0.4 // to read the id of a piece of a word
	lookCost = 7   // to look up the key of a piece, and sort it
	holdCost = 0.3 // to keep the id of a piece in memory
	stepCost = 0.1 // to read a key of the order
	testCost = 0.1 // to find its id in memory
	askCost  = 4   // to ask a piece for words
)

const (
	// holdMost is how many ids of a term are kept in memory at most.
	holdMost = 60_000

	// walkMost is how many steps of the order are tried at most.
	walkMost = 100_000

	// bitmapShare: the ids of a word that more than 1 in so many pieces have are
	// kept in a bitmap, which takes as long as to keep these few one by one.
	bitmapShare = 512
)

// way is a way to find pieces: those that have all words are among the
// candidates, or farther ahead in the order than so many steps.
type way struct {
	candidates candidates
	steps      int // 0 for the whole order
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
// spread evenly; it gives up when they are not. The last always ends.
func ways(terms []term, total float64, sort core.Sort, limit int) []way {
	w := weighed{terms: slices.Clone(terms), sort: sort, page: float64(limit), total: total, all: total}
	slices.SortStableFunc(w.terms, func(a, b term) int { return cmp.Compare(a.pieces, b.pieces) })
	for _, t := range terms {
		w.all *= t.share(total)
	}
	if w.all == 0 {
		return nil // a word that nothing has
	}
	others, sortCost := w.sorting()
	held, steps, walkCost := w.walking()
	last := way{sorted(w.terms[0], others...), 0}
	if sortCost < walkCost {
		return []way{last}
	}
	most := int(min(steps*sortCost/walkCost, walkMost, total)) // no longer than it takes to sort, which may yet follow
	return []way{{ahead(most, held...), most}, last}
}

// sorting returns which terms besides the rarest to keep in memory for its
// pieces to be sorted, and what that costs.
func (w weighed) sorting() (held []term, cost float64) {
	look := float64(lookCost)
	if w.sort == core.SortID {
		look = readCost // the id is the key
	}
	pieces := float64(w.terms[0].pieces)
	cost = pieces * readCost
	for _, t := range w.terms[1:] {
		if saves := pieces * (1 - t.share(w.total)) * look; t.held <= holdMost && float64(t.held)*holdCost < saves {
			held = append(held, t)
			cost += float64(t.held)*holdCost + pieces*testCost
			pieces *= t.share(w.total)
		}
	}
	asked := pieces * min(1, w.page/max(1, w.all))
	return held, cost + pieces*look + asked*askCost
}

// walking returns which terms to keep in memory for a walk along the order, how
// many steps it is until the page is full, and what that costs.
func (w weighed) walking() (held []term, steps, cost float64) {
	steps = w.page * w.total / max(1, w.all)
	if len(w.terms) > 1 {
		steps *= 2 // words may seldom meet, and then a walk is for nothing
	}
	cost = steps * stepCost
	asked := steps
	for _, t := range w.terms {
		if saves := asked * (1 - t.share(w.total)) * askCost; t.held <= holdMost && float64(t.held)*holdCost < saves {
			held = append(held, t)
			cost += float64(t.held)*holdCost + asked*testCost
			asked *= t.share(w.total)
		}
	}
	return held, steps, cost + asked*askCost
}

// share is the part of the total that is of the term.
func (t term) share(total float64) float64 { return min(1, float64(t.pieces)/total) }
