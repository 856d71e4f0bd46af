package db_test

import (
	"database/sql"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"craftista/db"
	"craftista/db/pgtest"
)

func TestSeedFillsTheGallery(t *testing.T) {
	t.Parallel()
	d := pgtest.NewSeeded(t)
	pool := pgtest.Open(t, d.AdminURL)
	checkCounts(t, pool)
	checkEach(t, pool, map[string]string{
		`SELECT count(*) FROM product.products`:                                                            "24",
		`SELECT min(id) || '-' || max(id) FROM product.products`:                                           "1-24",
		`SELECT count(*) FROM auth.users WHERE role = 'user'`:                                              "201",
		`SELECT count(DISTINCT password_hash) FROM auth.users`:                                             "4",
		`SELECT role FROM auth.users WHERE role <> 'user' ORDER BY 1`:                                      "admin curator",
		`SELECT count(DISTINCT votes) > 20 FROM product.products`:                                          "true",
		`SELECT min(votes) || '-' || max(votes) FROM product.products`:                                     "5-152",
		`SELECT count(DISTINCT created_at) FROM product.products`:                                          "24",
		`SELECT id FROM auth.users WHERE email !~ '@example\.(com|org)$'`:                                  "",
		`SELECT max(created_at) - min(created_at) BETWEEN '22 weeks' AND '24 weeks' FROM product.products`: "true",
		`SELECT id FROM product.products WHERE image_url !~ '^/static/origami/[a-z-]+\.svg$'`:              "",
		`SELECT DISTINCT maker FROM product.products ORDER BY 1`:                                           " Traditional",
		`SELECT count(*) FROM product.products WHERE instructions_url <> ''`:                               "8",
		`SELECT id FROM product.products WHERE created_at > now() OR created_at <> updated_at`:             "",
		`SELECT person_id FROM product.votes WHERE person_id NOT IN (SELECT id FROM auth.users)`:           "",
		`SELECT v.product_id
		   FROM product.votes AS v
		   JOIN product.products AS p ON p.id = v.product_id
		  WHERE v.created_at < p.created_at OR v.created_at > now()`: "",
	})
	for _, a := range db.DemoAccounts() {
		hash := column(t, pool, `SELECT password_hash FROM auth.users WHERE username = $1 AND email = $2 AND role = $3`,
			a.Username, a.Email, a.Role)
		if len(hash) != 1 || bcrypt.CompareHashAndPassword([]byte(hash[0]), []byte(a.Password)) != nil {
			t.Fatalf("%s cannot sign in", a.Username)
		}
		if cost, err := bcrypt.Cost([]byte(hash[0])); err != nil || cost != 12 {
			t.Errorf("got bcrypt cost %d, %v; want 12", cost, err)
		}
	}
	mustExec(t, pgtest.Open(t, d.ProductURL), insertProducts, 1)
	checkEach(t, pool, map[string]string{`SELECT max(id) FROM product.products`: "25"})
}

// TestSeededVotesHaveTastes compares what the voters of one product also voted for with all votes.
func TestSeededVotesHaveTastes(t *testing.T) {
	t.Parallel()
	const query = `
		SELECT replace(replace(p.image_url, '/static/origami/', ''), '.svg', '')
		  FROM product.products AS liked
		  JOIN product.votes AS mine ON mine.product_id = liked.id
		  JOIN product.votes AS theirs ON theirs.person_id = mine.person_id AND theirs.product_id <> liked.id
		  JOIN product.products AS p ON p.id = theirs.product_id
		 WHERE liked.image_url = '/static/origami/' || $1 || '.svg'
		 GROUP BY p.id
		 ORDER BY count(*)::float / p.votes DESC
		 LIMIT 3`
	d := pgtest.NewSeeded(t)
	pool := pgtest.Open(t, d.AdminURL)
	for slug, alike := range map[string]string{
		"turtle":      "koi whale sailboat penguin swan",
		"tulip":       "lotus iris butterfly heart",
		"rabbit":      "fox elephant owl dog dragon tyrannosaurus",
		"paper-plane": "jumping-frog pinwheel dragon tyrannosaurus",
	} {
		found := slices.DeleteFunc(column(t, pool, query, slug), func(other string) bool {
			return !slices.Contains(strings.Fields(alike), other)
		})
		if len(found) < 2 {
			t.Errorf("voters of %s also voted for %v, want two at least of %s", slug, found, alike)
		}
	}
}

func TestSeedAgainKeepsWhatPeopleDid(t *testing.T) {
	t.Parallel()
	d := pgtest.NewSeeded(t)
	pool := pgtest.Open(t, d.AdminURL)
	mustExec(t, pool, `
		UPDATE product.products SET name = 'Renamed', updated_at = now() WHERE id = 1;
		DELETE FROM product.products WHERE id = 2;
		DELETE FROM product.votes WHERE product_id = 3;
		UPDATE auth.users SET password_hash = 'changed' WHERE username = 'admin';
		INSERT INTO auth.users (username, email, password_hash) VALUES ('real', 'real@example.net', 'x');
		INSERT INTO product.votes (person_id, product_id) SELECT id, 5 FROM auth.users WHERE username = 'real'`)
	edited := dump(t, pool)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := db.Seed(t.Context(), d.AdminURL); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(dump(t, pool), edited); diff != "" {
		t.Errorf("rows after seeding again (-got +want):\n%s", diff)
	}
}

func TestFirstSeedYieldsToWhatIsThere(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	pool := pgtest.Open(t, d.AdminURL)
	voter := column(t, pgtest.Open(t, pgtest.NewSeeded(t).AdminURL), `
		SELECT u.username FROM auth.users AS u JOIN product.votes AS v ON v.person_id = u.id
		 GROUP BY u.username ORDER BY count(*) DESC LIMIT 1`)[0]
	mustExec(t, pool, `
		INSERT INTO auth.users (username, email, password_hash)
		VALUES (upper($1), 'real@example.net', 'mine'), ('Admin', 'boss@example.net', 'mine')`, voter)
	mustExec(t, pool, insertProducts, 1)
	mustExec(t, pool, `INSERT INTO product.votes (person_id, product_id) VALUES (1, 1)`)
	if err := db.Seed(t.Context(), d.AdminURL); err != nil {
		t.Fatal(err)
	}
	checkCounts(t, pool)
	checkEach(t, pool, map[string]string{
		`SELECT name || ' ' || votes FROM product.products WHERE id = 1`:               "Product 1 1",
		`SELECT count(*) FROM product.products`:                                        "24",
		`SELECT product_id FROM product.votes WHERE person_id = 1`:                     "1",
		`SELECT password_hash || ' ' || role FROM auth.users WHERE username = 'Admin'`: "mine user",
		`SELECT count(*) FROM auth.users`:                                              "203",
	})
}

func TestSeedIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	one, two := pgtest.NewSeeded(t), pgtest.New(t)
	if err := db.Seed(t.Context(), two.AdminURL); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dump(t, pgtest.Open(t, two.AdminURL)), dump(t, pgtest.Open(t, one.AdminURL))); diff != "" {
		t.Errorf("rows of two databases (-got +want):\n%s", diff)
	}
}

func TestSeedNeedsTheSchemas(t *testing.T) {
	t.Parallel()
	adminURL, _ := blank(t)
	if err := db.Seed(t.Context(), adminURL); err == nil {
		t.Error("got no error from a database without schemas")
	}
}

// dump is every row that services see.
func dump(t *testing.T, pool *sql.DB) []string {
	t.Helper()
	return column(t, pool, `
		SELECT concat_ws(' ', 'user', id, username, email, role, created_at, password_hash) FROM auth.users
		 UNION ALL
		SELECT concat_ws(' ', 'product', id, name, description, image_url, votes, difficulty, folds, paper, maker,
		                 instructions_url, created_at, updated_at) FROM product.products
		 UNION ALL
		SELECT concat_ws(' ', 'vote', person_id, product_id, created_at) FROM product.votes
		 ORDER BY 1`)
}
