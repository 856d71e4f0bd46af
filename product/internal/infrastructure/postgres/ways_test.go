package postgres

import (
	"math"
	"testing"

	"craftista/product/internal/core"

	"github.com/google/go-cmp/cmp"
)

// TestWays: few pieces are fetched, many walked along; whatever may come short is
// followed by what cannot.
func TestWays(t *testing.T) {
	t.Parallel()
	const most = math.MaxInt64
	for _, row := range []struct {
		sort   core.Sort
		pieces []int64 // of each word, of a million in all
		want   []int   // the steps of the ways
	}{
		{core.SortVotes, []int64{0, 9}, nil},
		{core.SortVotes, []int64{1}, []int{0}},
		{core.SortVotes, []int64{500}, []int{0}},
		{core.SortVotes, []int64{20_000}, []int{16_327, 0}},
		{core.SortVotes, []int64{500_000}, []int{73_225, 0}},
		{core.SortVotes, []int64{most}, []int{100_000, 0}},
		{core.SortVotes, []int64{50_000, 5000}, []int{0}},
		{core.SortVotes, []int64{most, 300}, []int{0, 0}},
		{core.SortVotes, []int64{100_000, 50_000}, []int{65_202, 0}},
		{core.SortVotes, []int64{100_000, 100_000, 100_000}, []int{100_000, 0}},
		{core.SortID, []int64{0, 9}, nil},
		{core.SortID, []int64{50}, []int{0}},
		{core.SortID, []int64{5000}, []int{0, 0}},
		{core.SortID, []int64{50_000, 500}, []int{0}},
		{core.SortID, []int64{50_000, 5000}, []int{0, 0}},
	} {
		terms := make([]term, len(row.pieces))
		for i, n := range row.pieces {
			terms[i].pieces, terms[i].held = n, min(n, 1_000_000/bitmapShare)
			if n == most {
				terms[i].held = n
			}
		}
		var got []int
		for _, way := range ways(terms, 1_000_000, row.sort, 25) {
			got = append(got, way.steps)
		}
		if diff := cmp.Diff(got, row.want); diff != "" {
			t.Errorf("words that %v pieces have, by %s (-got +want):\n%s", row.pieces, row.sort, diff)
		}
	}
}
