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

func TestURLsSignInAsTheServices(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	for url, want := range map[string]string{
		d.AuthURL:           "craftista_auth",
		d.ProductURL:        "craftista_product",
		d.RecommendationURL: "craftista_recommendation",
	} {
		var got string
		err := pgtest.Open(t, url).QueryRowContext(t.Context(), `SELECT current_user`).Scan(&got)
		if err != nil || got != want {
			t.Errorf("got user %s, %v; want %s", got, err, want)
		}
	}
}
