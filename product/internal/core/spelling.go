package core

import "unicode/utf8"

// Misspells returns how many edits make a word that nobody knows into that known
// one, and whether it may be meant so: one edit if it has 4 to 7 letters, one or
// two if it has 8 or more. An edit is a letter missing, extra, wrong or swapped
// with its neighbour, each letter being edited once at most (optimal string
// alignment).
func Misspells(word, known string) (n int, may bool) {
	n = edits([]rune(word), []rune(known))
	switch letters := utf8.RuneCountInString(word); {
	case letters < 4:
		return n, false
	case letters < 8:
		return n, n <= 1
	default:
		return n, n <= 2
	}
}

// edits is how many edits turn a into b.
func edits(a, b []rune) int {
	var before, last []int // the two rows above this one
	for i := range len(a) + 1 {
		row := make([]int, len(b)+1)
		for j := range row {
			switch {
			case i == 0 || j == 0:
				row[j] = i + j
				continue
			case a[i-1] == b[j-1]:
				row[j] = last[j-1]
			default:
				row[j] = 1 + min(last[j-1], last[j], row[j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], 1+before[j-2])
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
