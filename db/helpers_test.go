package db_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/lib/pq"
)

const insertProducts = `
	INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
	SELECT 'Product ' || n, 'Folded.', '/x.svg', 'easy', n, '15 cm'
	  FROM generate_series(1, $1::integer) AS n`

func mustExec(t *testing.T, pool *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := pool.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// column returns what a query of one column answers.
func column(t *testing.T, pool *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var values []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return values
}

// checkEach runs queries of one column; the values of its rows, with spaces between them, are to be the map's.
func checkEach(t *testing.T, pool *sql.DB, queries map[string]string) {
	t.Helper()
	for query, want := range queries {
		if got := strings.Join(column(t, pool, query), " "); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// checkCounts compares every count with the rows, in one snapshot, and returns the sum. Who has no vote is not counted.
func checkCounts(t *testing.T, pool *sql.DB) (total int) {
	t.Helper()
	const query = `
		SELECT (SELECT count(*) FROM product.votes),
		       array(SELECT format('%s votes for product %s, which counts %s', count(v), p.id, p.votes)
		               FROM product.products AS p
		               LEFT JOIN product.votes AS v ON v.product_id = p.id
		              GROUP BY p.id
		             HAVING p.votes <> count(v)
		              UNION ALL
		             SELECT format('%s votes of person %s, who counts %s', count(v), person_id, p.votes)
		               FROM product.voters AS p
		               FULL JOIN product.votes AS v USING (person_id)
		              GROUP BY person_id, p.votes
		             HAVING p.votes IS DISTINCT FROM nullif(count(v), 0)
		              UNION ALL
		             SELECT format('newest votes %s of person %s, not %s', newest, person_id, likes)
		               FROM product.voters AS p, LATERAL (SELECT ARRAY (
		                    SELECT product_id FROM product.votes
		                     WHERE person_id = p.person_id
		                     ORDER BY created_at DESC, product_id DESC LIMIT 50) AS likes) AS v
		              WHERE newest <> likes)`
	var wrong []string
	if err := pool.QueryRowContext(t.Context(), query).Scan(&total, pq.Array(&wrong)); err != nil {
		t.Fatal(err)
	}
	if len(wrong) > 0 {
		t.Errorf("there are %s", strings.Join(wrong, "; "))
	}
	return total
}
