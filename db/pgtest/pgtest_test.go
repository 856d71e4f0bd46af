package pgtest_test

import (
	"testing"

	"craftista/db/pgtest"
)

func TestNewGivesEachTestItsOwnDatabase(t *testing.T) {
	t.Parallel()
	for range 4 {
		t.Run("clone", func(t *testing.T) {
			t.Parallel()
			pool := pgtest.Open(t, pgtest.New(t).ProductURL)
			const insert = `
				INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
				VALUES ('Crane', 'A bird.', '/crane.svg', 'easy', 20, '15 cm')
				RETURNING id`
			var id int64
			if err := pool.QueryRowContext(t.Context(), insert).Scan(&id); err != nil || id != 1 {
				t.Errorf("got id %d of the first row, %v; want 1", id, err)
			}
		})
	}
}
