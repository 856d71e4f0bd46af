package pgtest_test

import (
	"database/sql"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lib/pq"

	"craftista/db/pgtest"
)

func TestNewGivesEachTestItsOwnDatabase(t *testing.T) {
	t.Parallel()
	for range 4 {
		t.Run("clone", func(t *testing.T) {
			t.Parallel()
			d := pgtest.New(t)
			pool := open(t, d.ProductURL)
			const insert = `
				INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
				VALUES ('Crane', 'A bird.', '/crane.svg', 'easy', 20, '15 cm')
				RETURNING id`
			var id int64
			if err := pool.QueryRowContext(t.Context(), insert).Scan(&id); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(id, int64(1)); diff != "" {
				t.Errorf("id of the first row (-got +want):\n%s", diff)
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
		if err := open(t, url).QueryRowContext(t.Context(), `SELECT current_user`).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("got user %s, want %s", got, want)
		}
	}
}

func open(t *testing.T, url string) *sql.DB {
	t.Helper()
	connector, err := pq.NewConnector(url)
	if err != nil {
		t.Fatal(err)
	}
	pool := sql.OpenDB(connector)
	t.Cleanup(func() { pool.Close() })
	return pool
}
