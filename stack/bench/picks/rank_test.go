package picks

import (
	"math"
	"slices"
)

// ranking returns the ten best pieces for a person by what they voted for, the oldest first.
type ranking func(liked []int) []int

// best are the ten pieces with the highest scores that are not among those.
func best(scores []float64, but []int) []int {
	taken := map[int]bool{}
	for _, i := range but {
		taken[i] = true
	}
	var order []int // by score
	for i, score := range scores {
		at := len(order)
		for at > 0 && scores[order[at-1]] < score {
			at--
		}
		if at < 10 && !taken[i] {
			order = slices.Insert(order, at, i)
			order = order[:min(10, len(order))]
		}
	}
	return order
}

// gram counts for each two pieces the people who voted for both, in training; the diagonal counts all voters.
func (w *world) gram() [][]float64 {
	g := make([][]float64, pieces)
	for i := range g {
		g[i] = make([]float64, pieces)
	}
	for _, votes := range w.votes {
		votes = votes[:len(votes)-1]
		for _, a := range votes {
			for _, b := range votes {
				g[a.piece][b.piece]++
			}
		}
	}
	return g
}

// popularity ranks by the number of votes.
func popularity(gram [][]float64) ranking {
	scores := make([]float64, pieces)
	for i := range scores {
		scores[i] = gram[i][i]
	}
	return func(liked []int) []int { return best(scores, liked) }
}

// sum ranks by the sum of the rows of the liked pieces.
func sum(rows [][]float64) ranking {
	return func(liked []int) []int {
		scores := make([]float64, pieces)
		for _, l := range liked {
			for i, s := range rows[l] {
				scores[i] += s
			}
		}
		return best(scores, liked)
	}
}

// cosine ranks by the similarity of the voters of pieces (Sarwar et al., WWW 2001), shared / (a^0.5 b^exponent).
func cosine(gram [][]float64, exponent float64) ranking {
	rows := make([][]float64, pieces)
	for i := range rows {
		rows[i] = make([]float64, pieces)
		for j, shared := range gram[i] {
			if shared > 0 && i != j {
				rows[i][j] = shared / math.Sqrt(gram[i][i]) / math.Pow(gram[j][j], exponent)
			}
		}
	}
	return sum(rows)
}

// ease is Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019: each piece by a regression on all
// others, in closed form. P is the inverse of the Gram matrix plus lambda, and the weights are -P[i][j] / P[j][j].
func ease(gram [][]float64, lambda float64) ranking {
	p := make([][]float64, pieces)
	for i := range p {
		p[i] = slices.Clone(gram[i])
		p[i][i] += lambda
	}
	invert(p)
	rows := make([][]float64, pieces)
	for i := range rows {
		rows[i] = make([]float64, pieces)
		for j := range rows[i] {
			if i != j {
				rows[i][j] = -p[i][j] / p[j][j]
			}
		}
	}
	return sum(rows)
}

// invert replaces a symmetric, positive definite matrix by its inverse (Gauss-Jordan, which needs no pivoting here).
func invert(a [][]float64) {
	for k, pivots := range a {
		scale := 1 / pivots[k]
		pivots[k] = 1
		for j := range pivots {
			pivots[j] *= scale
		}
		for i, row := range a {
			if factor := row[k]; i != k && factor != 0 {
				row[k] = 0
				for j, p := range pivots {
					row[j] -= factor * p
				}
			}
		}
	}
}
