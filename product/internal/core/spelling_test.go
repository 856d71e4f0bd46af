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
		if got := core.Misspells(row.word, row.known); got != row.want {
			t.Errorf("%q for %q: got %t", row.word, row.known, got)
		}
	}
}
