package postgres

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"craftista/db/pgtest"
	"craftista/product/internal/core"
)

// TestPagesWalkAnIndex: no order sorts or reads the table from its start; each
// page is one index scan that begins at the position.
func TestPagesWalkAnIndex(t *testing.T) {
	t.Parallel()
	db := open(t, pgtest.New(t).AdminURL)
	const many = `
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
		SELECT 'piece ' || n, 'Flies.', '/crane.svg', CASE n % 50 WHEN 0 THEN 'advanced' ELSE 'easy' END, 1, '15 cm'
		  FROM generate_series(1, 5000) AS n`
	const votes = `
		INSERT INTO product.votes (person_id, product_id)
		SELECT person, p.id
		  FROM product.products AS p, generate_series(1, 3) AS person`
	for _, statement := range []string{many, votes, `ANALYZE product.products, product.votes`} {
		db.MustExec(statement)
	}
	wantIndex := func(index, query string, args ...any) {
		t.Helper()
		var lines []string
		if err := db.SelectContext(t.Context(), &lines, "EXPLAIN "+query, args...); err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(lines, "\n")
		if !strings.Contains(plan, index) || !strings.Contains(plan, "Index Cond") || strings.Contains(plan, "Sort") {
			t.Errorf("no walk along %s:\n%s", index, plan)
		}
	}
	for sort, index := range map[core.Sort]string{
		core.SortID: "products_id_idx", core.SortVotes: "products_votes_idx",
		core.SortName: "products_name_idx", core.SortNewest: "products_created_at_idx",
	} {
		query, args := pageQuery(core.Page{Sort: sort, After: sort.Start(), Limit: 25})
		wantIndex(index, query, args...)
		for _, difficulty := range []string{"advanced", "intermediate"} { // few, and none
			query, args = pageQuery(core.Page{Sort: sort, After: sort.Start(), Limit: 25, Difficulty: difficulty})
			wantIndex(strings.Replace(index, "products_", "products_difficulty_", 1), query, args...)
		}
	}
	newest := core.SortNewest.Start()
	wantIndex("votes_person_id_idx", selectVotesOf, 1, newest.CreatedAt, newest.ID, 50)
}

// TestReplicasDoNotDeadlock has replicas commit votes of the same users for the
// same pieces, in any order and with users named twice, while somebody edits
// the pieces and votes for all of them in one statement. None may fail.
func TestReplicasDoNotDeadlock(t *testing.T) {
	t.Parallel()
	const replicas, rounds, users, pieces = 6, 60, 40, 2
	database := pgtest.New(t)
	db := open(t, database.ProductURL)
	store := NewStore(db)
	exec := func(ctx context.Context, statement string, args ...any) {
		if _, err := db.ExecContext(ctx, statement, args...); err != nil {
			t.Error(err)
		}
	}
	exec(t.Context(), `
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
		SELECT 'piece ' || n, 'Flies.', '/crane.svg', 'easy', 1, '15 cm'
		  FROM generate_series(1, $1::integer) AS n`, pieces)
	var all sync.WaitGroup
	for range replicas {
		all.Go(func() {
			for range rounds {
				some := make([]int64, users/2)
				for i := range some {
					some[i] = 1 + rand.Int64N(users)
				}
				change := []func(context.Context, int64, []int64) (int64, error){store.Vote, store.Unvote}[rand.IntN(2)]
				if votes, err := change(t.Context(), 1+rand.Int64N(pieces), some); err != nil || votes < 0 || votes > users+1 {
					t.Errorf("%d votes, %v", votes, err)
				}
			}
		})
	}
	all.Go(func() {
		for range rounds {
			exec(t.Context(), `UPDATE product.products SET folds = folds + 1`)
			exec(t.Context(), `
		INSERT INTO product.votes (person_id, product_id)
		SELECT 1000, id FROM product.products ORDER BY id DESC`)
			exec(t.Context(), `DELETE FROM product.votes WHERE person_id = 1000`)
		}
	})
	all.Wait()
	var drifted int
	if err := db.GetContext(t.Context(), &drifted, `
		SELECT count(*)
		  FROM product.products AS p
		 WHERE p.votes <> (SELECT count(*) FROM product.votes AS v WHERE v.product_id = p.id)`); err != nil || drifted > 0 {
		t.Errorf("the counts of %d pieces differ from their rows, %v", drifted, err)
	}
}
