package core_test

import (
	"testing"

	"craftista/product/internal/core"
)

func TestMisspells(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		word, known string
		want        bool
	}{
		{"fxo", "fox", false}, // three letters have too many neighbours
		{"crae", "crane", true},
		{"craane", "crane", true},
		{"grane", "crane", true},
		{"carne", "crane", true},
		{"crnea", "crane", false},
		{"crame", "frame", true},
		{"grame", "crane", false},
		{"elephnt", "elephant", true},  // seven letters of the word asked for
		{"elphnt", "elephant", false},  // two edits are for eight
		{"leephnat", "elephant", true}, // two swaps
		{"elephaaant", "elephant", true},
		{"elepaaaant", "elephant", false},
		{"nadú", "nandú", true}, // letters, not bytes
		{"四角い箱", "四角い", true},
		{"", "", false},
	} {
		if _, got := core.Misspells(row.word, row.known); got != row.want {
			t.Errorf("%q for %q: got %t", row.word, row.known, got)
		}
	}
}

func TestMisspellsCountsEdits(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]int{"elephant": 0, "elephnt": 1, "elepahnt": 1, "leephnat": 2, "elephaaant": 2, "elepaaaant": 3} {
		if got, _ := core.Misspells(word, "elephant"); got != want {
			t.Errorf("%q: got %d edits, want %d", word, got, want)
		}
	}
}
