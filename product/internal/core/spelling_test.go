package core_test

import (
	"testing"

	"craftista/product/internal/core"
)

func TestEdits(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		word, other string
		want        int
	}{
		{"", "", 0},
		{"", "fox", 3},
		{"elephant", "elephant", 0},
		{"elephnt", "elephant", 1},
		{"elephaant", "elephant", 1},
		{"grane", "crane", 1},
		{"elepahnt", "elephant", 1}, // a swap
		{"grame", "crane", 2},
		{"leephnat", "elephant", 2},
		{"crnea", "crane", 2}, // no letter is swapped twice
		{"elepaaaant", "elephant", 3},
		{"nadú", "nandú", 1}, // letters, not bytes
		{"四角い箱", "四角い", 1},
	} {
		if got := core.Edits(row.word, row.other); got != row.want {
			t.Errorf("%q to %q: got %d edits, want %d", row.word, row.other, got, row.want)
		}
		if got := core.Edits(row.other, row.word); got != row.want {
			t.Errorf("%q to %q: got %d edits, want %d", row.other, row.word, got, row.want)
		}
	}
}

func TestMaxEdits(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]int{
		"": 0, "fxo": 0, "éàü": 0, "crae": 1, "elephnt": 1, "elephnat": 2, "四角い箱": 1,
	} {
		if got := core.MaxEdits(word); got != want {
			t.Errorf("%q: got %d, want %d", word, got, want)
		}
	}
}
