package core

import "unicode/utf8"

// MaxEdits returns how many edits a word may be away from the one that was
// meant: none below 4 letters, one from 4 on, two from 8 on.
func MaxEdits(word string) int {
	switch letters := utf8.RuneCountInString(word); {
	case letters < 4:
		return 0
	case letters < 8:
		return 1
	default:
		return 2
	}
}

// Edits returns how many edits make one word into the other. An edit is a letter
// missing, extra, wrong or swapped with its neighbour, and no letter is edited
// twice: the optimal string alignment distance.
func Edits(word, other string) int {
	a, b := []rune(word), []rune(other)
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
