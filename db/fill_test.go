package db_test

import (
	"context"
	"testing"

	"craftista/db"
	"craftista/db/pgtest"
)

func TestFillReachesItsTarget(t *testing.T) {
	t.Parallel()
	d := pgtest.NewSeeded(t)
	pool := pgtest.Open(t, d.AdminURL)
	seeded := checkCounts(t, pool)
	for _, step := range []struct {
		name         string
		target, want db.Amounts
	}{
		{"nothing to do", db.Amounts{Products: 10, Votes: 10}, db.Amounts{Products: 24, Votes: int64(seeded)}},
		{"products alone", db.Amounts{Products: 40, Votes: 100}, db.Amounts{Products: 40, Votes: int64(seeded)}},
		{"products and votes", db.Amounts{Products: 1000, Votes: 9000}, db.Amounts{Products: 1000, Votes: 9000}},
		{"votes alone", db.Amounts{Products: 1000, Votes: 9777}, db.Amounts{Products: 1000, Votes: 9777}},
		{"the same again", db.Amounts{Products: 1000, Votes: 9777}, db.Amounts{Products: 1000, Votes: 9777}},
		{"a vote more", db.Amounts{Products: 1000, Votes: 9778}, db.Amounts{Products: 1000, Votes: 9778}},
		{"one product, many votes", db.Amounts{Products: 1001, Votes: 50_000}, db.Amounts{Products: 1001, Votes: 50_000}},
	} {
		var told db.Amounts
		if err := db.Fill(t.Context(), d.AdminURL, step.target, func(now db.Amounts) { told = now }); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := filled(t, d); got != step.want || told != step.want {
			t.Errorf("%s: got %+v, told %+v, want %+v", step.name, got, told, step.want)
		}
		checkCounts(t, pool)
		checkDictionary(t, d)
	}
	checkEach(t, pool, map[string]string{
		`SELECT person_id FROM product.votes WHERE product_id > 24 AND person_id IN (SELECT id FROM auth.users)`: "",
		`SELECT count(DISTINCT name) BETWEEN 100 AND 990 FROM product.products`:                                  "true",
		`SELECT max(votes) > 10 * avg(votes) FROM product.products`:                                              "true",
		`SELECT id FROM product.products WHERE created_at > now() OR created_at <> updated_at`:                   "",
		`SELECT max(products) > 500 AND min(products) = 1 FROM product.words`:                                    "true",
		`SELECT min(reltuples) FROM pg_class WHERE relname IN ('products', 'search')`:                            "1001",
	})
	mustExec(t, pgtest.Open(t, d.ProductURL), insertProducts, 1)
}

// TestFillGoesOnWhereItWasInterrupted ends the context among the products and kills the session among the votes.
func TestFillGoesOnWhereItWasInterrupted(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	pool := pgtest.Open(t, d.AdminURL)
	target := db.Amounts{Products: 6000, Votes: 300_000}
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Fill(ctx, d.AdminURL, target, func(now db.Amounts) {
		if now.Products > 0 {
			cancel()
		}
	})
	if first := filled(t, d); err == nil || first.Products == 0 || first.Products == target.Products {
		t.Errorf("interrupted: %v, with %+v, which is not the middle", err, first)
	}
	checkCounts(t, pool)
	killed := false
	err = db.Fill(t.Context(), d.AdminURL, target, func(now db.Amounts) {
		if now.Votes > 0 && !killed {
			killed = true
			mustExec(t, pool, `
				SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				 WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		}
	})
	if second := filled(t, d); err == nil || second.Votes == 0 || second.Votes == target.Votes {
		t.Errorf("killed: %v, with %+v, which is not the middle", err, second)
	}
	checkCounts(t, pool)
	err = db.Fill(t.Context(), d.AdminURL, target, func(db.Amounts) {})
	if got := filled(t, d); err != nil || got != target {
		t.Errorf("got %+v, %v; want %+v", got, err, target)
	}
	checkCounts(t, pool)
	checkDictionary(t, d)
}

func TestFillRefusesWhatItCannotReach(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	const products, votes = "products must be between 0 and 10000000", "votes must be between 0 and 1000 for each product"
	for target, want := range map[db.Amounts]string{
		{Products: -1}:                     products,
		{Products: db.MaxFillProducts + 1}: products,
		{Products: 10, Votes: 10_001}:      votes,
		{Votes: -1}:                        votes,
	} {
		err := db.Fill(t.Context(), d.AdminURL, target, func(db.Amounts) {})
		if err == nil || err.Error() != want {
			t.Errorf("%+v: got %v, want %s", target, err, want)
		}
	}
	if got := filled(t, d); got != (db.Amounts{}) {
		t.Errorf("a refused fill left %+v", got)
	}
}

// filled counts products and votes.
func filled(t *testing.T, d *pgtest.Database) (a db.Amounts) {
	t.Helper()
	const query = `SELECT (SELECT count(*) FROM product.products), (SELECT count(*) FROM product.votes)`
	if err := pgtest.Open(t, d.AdminURL).QueryRowContext(t.Context(), query).Scan(&a.Products, &a.Votes); err != nil {
		t.Fatal(err)
	}
	return a
}
