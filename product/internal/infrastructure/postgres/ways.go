package postgres

// What things cost, in microseconds, on a machine with two cores. Only their
// ratios matter.
const (
	stepCost = 0.15 // to read a key of the order
	holdCost = 0.3  // to keep the id of a piece in memory
	lookCost = 4    // to look up the key of a piece, and sort it
	askCost  = 5    // to ask a piece for words
)

const (
	// holdMost is how many ids of pieces are kept in memory at most.
	holdMost = 60_000

	// askMost is how many pieces of the order are asked at most.
	askMost = 20_000

	// walkLeast is how many steps of the order are worth trying in any case.
	walkLeast = 5000
)

// way is a way to find pieces: those that have all words are among the
// candidates, or farther ahead in the order than so many steps.
type way struct {
	candidates candidates
	steps      int // 0 for the whole order
}

// ways are those to try, one after the other, to find a page of pieces among the
// total. The first would be the best if words came together by chance and were
// spread evenly; it gives up when they are not. The last always ends.
func ways(terms []term, total float64, limit int) []way {
	rarest, all, sum := terms[0], total, 0.0 // all is how many pieces have every word
	for _, t := range terms {
		all *= min(1, float64(t.pieces)/total)
		sum += min(float64(t.pieces), total)
		if t.pieces < rarest.pieces {
			rarest = t
		}
	}
	n, page := float64(rarest.pieces), float64(limit)
	steps := page * total / max(1, all) // until the page is full
	sort := n*lookCost + askCost*min(n, page*n/max(1, all))
	meet := sum*holdCost + all*lookCost
	compare := n*holdCost + steps*(stepCost+askCost*min(1, n/total))
	ask := steps * askCost
	if len(terms) > 1 { // which may seldom meet: then a walk is for nothing
		compare, ask = 2*compare, 2*ask
	}
	most := int(min(max(walkLeast, 2*steps), total))
	switch least := min(sort, meet, compare, ask); {
	case n == 0:
		return nil
	case least == sort:
		return []way{{sorted(rarest), 0}}
	case least == meet:
		return []way{{sorted(terms...), 0}}
	case least == compare && n <= holdMost:
		return []way{{compared(rarest, most), most}, {sorted(terms...), 0}}
	default:
		most = min(most, askMost)
		return []way{{ahead(most), most}, {sorted(terms...), 0}}
	}
}
