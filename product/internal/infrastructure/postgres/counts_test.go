package postgres

import (
	"testing"

	"craftista/db/pgtest"
	"craftista/product/internal/core"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestCounts(t *testing.T) {
	t.Parallel()
	db := open(t, pgtest.New(t).ProductURL)
	s := NewStore(db)
	db.MustExec(`
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
		SELECT 'product ' || n, 'Flies.', '/crane.svg', 'easy', 1, '15 cm'
		  FROM generate_series(1, 4) AS n`)
	db.MustExec(`INSERT INTO product.votes (person_id, product_id) VALUES (1, 2), (2, 2), (1, 4)`)
	db.MustExec(`UPDATE product.products SET deleted_at = now() WHERE id = 4`)
	for _, row := range []struct {
		ids  []int64
		want []core.Count
	}{
		{[]int64{3, 2, 4, 99}, []core.Count{{ID: 2, Votes: 2}, {ID: 3}}},
		{[]int64{}, nil},
	} {
		got, err := s.Counts(t.Context(), row.ids)
		order := cmpopts.SortSlices(func(a, b core.Count) bool { return a.ID < b.ID })
		if diff := cmp.Diff(got, row.want, order); diff != "" || err != nil {
			t.Errorf("%d: %v (-got +want):\n%s", row.ids, err, diff)
		}
	}
	for limit, want := range map[int][]int64{2: {1, 2}, 9: {1, 2, 3}} {
		got, err := s.IDs(t.Context(), limit)
		if diff := cmp.Diff(got, want); diff != "" || err != nil {
			t.Errorf("at most %d: %v (-got +want):\n%s", limit, err, diff)
		}
	}
}
