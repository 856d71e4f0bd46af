package postgres

import (
	"strings"
	"testing"

	"craftista/db/pgtest"
	"craftista/product/internal/core"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
)

// TestPagesWalkAnIndex: no order sorts or reads the table from its start; each
// page is one index scan that begins at the position.
func TestPagesWalkAnIndex(t *testing.T) {
	t.Parallel()
	db, err := pg.Open(pgtest.New(t).AdminURL, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	const many = `
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
		SELECT 'piece ' || n, 'Flies.', '/crane.svg', 'easy', 1, '15 cm'
		  FROM generate_series(1, 5000) AS n`
	const votes = `
		INSERT INTO product.votes (person_id, product_id)
		SELECT person, p.id
		  FROM product.products AS p, generate_series(1, 3) AS person`
	for _, statement := range []string{many, votes, `ANALYZE product.products, product.votes`} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
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
		core.SortID: "products_id_idx", core.SortVotes: "products_votes_idx", core.SortName: "products_name_idx", core.SortNewest: "products_created_at_idx",
	} {
		query, args := pageQuery(core.Page{Sort: sort, After: sort.Start(), Limit: 25})
		wantIndex(index, query, args...)
	}
	newest := core.SortNewest.Start()
	wantIndex("votes_person_id_idx", selectVotesOf, 1, newest.CreatedAt, newest.ID, 50)
}
