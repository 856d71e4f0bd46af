package db_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"craftista/db/pgtest"

	"github.com/google/go-cmp/cmp"
)

func TestWordsOf(t *testing.T) {
	t.Parallel()
	pool := pgtest.Open(t, pgtest.New(t).ProductURL)
	for text, want := range map[string]string{
		"":                                   "{}",
		" \t\n… — !?*&|:'\\ ★ 、":             "{}",
		"Crane crane CRANE":                  "{crane}",
		"a-b_c/d.e,f'g":                      "{a,b,c,d,e,f,g}",
		"Ñandú, Ångström & Œuvre: ﬁne ½":     "{1,2,angstrom,fine,nandu,œuvre}",
		"n\u0303andu\u0301 ÑANDÚ":            "{nandu}",
		"ΖΩΗ Жар-птица ЁЛКА":                 "{ζωη,елка,жар,птица}",
		"折り紙 ツル 🦢":                           "{ツル,折り紙,🦢}",
		"Ｆｕｌｌ　ｗｉｄｔｈ":                         "{full,width}",
		strings.Repeat("x", 50):              "{" + strings.Repeat("x", 40) + "}",
		"it''s 22.5 degrees\u00a0\u200bwide": "{22,5,degrees,it,s,wide}",
	} {
		var got string
		if err := pool.QueryRowContext(t.Context(), `SELECT product.words_of($1)::text`, text).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%q (-got +want):\n%s", text, diff)
		}
	}
}

// TestTheDictionaryFollowsTheProducts has sessions add, edit and delete products all at once, singly and many.
func TestTheDictionaryFollowsTheProducts(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	product := pgtest.Open(t, d.ProductURL)
	const insert = `
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
		SELECT $1 || ' ' || n, $2, '/x.svg', 'easy', 1, 'd'
		  FROM generate_series(1, $3::integer) AS n`
	const remove = `UPDATE product.products SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END WHERE id = $1`
	const edit = `UPDATE product.products SET name = $2, description = $3 WHERE id = $1`
	mustExec(t, pgtest.Open(t, d.AdminURL), insert, "Paper crane", "A crane of paper.", 10)
	words := []string{"crane", "paper", "swan", "lotus", "folded", "quiet", "Ähre"}
	ctx := t.Context()
	var wg sync.WaitGroup
	for seed := range 6 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(seed), 9))
			word := func() string { return words[r.IntN(len(words))] }
			for range 100 {
				var err error
				switch r.IntN(4) {
				case 0:
					_, err = product.ExecContext(ctx, insert, word()+" "+word(), word()+strconv.Itoa(r.IntN(9)), 1+r.IntN(3))
				case 1:
					_, err = product.ExecContext(ctx, remove, 1+r.IntN(40))
				default:
					_, err = product.ExecContext(ctx, edit, 1+r.IntN(40), word(), word()+" "+word())
				}
				if err != nil {
					t.Errorf("write products: %v", err)
				}
			}
		})
	}
	wg.Wait()
	checkDictionary(t, d)
	mustExec(t, product, `UPDATE product.products SET deleted_at = now()`)
	for _, table := range []string{"search", "words"} {
		if diff := cmp.Diff(column(t, product, `SELECT count(*) FROM product.`+table), []string{"0"}); diff != "" {
			t.Errorf("%s after the last product (-got +want):\n%s", table, diff)
		}
	}
}

// TestVotesDoNotTouchTheSearch: a vote writes its product, which must not index its words anew.
func TestVotesDoNotTouchTheSearch(t *testing.T) {
	t.Parallel()
	d := pgtest.NewSeeded(t)
	const rows = `SELECT product_id || ' ' || xmin FROM product.search ORDER BY product_id`
	product := pgtest.Open(t, d.ProductURL)
	before := column(t, product, rows)
	mustExec(t, product, `INSERT INTO product.votes (person_id, product_id) SELECT 9999, id FROM product.products`)
	if diff := cmp.Diff(column(t, product, rows), before); diff != "" {
		t.Errorf("after votes (-got +want):\n%s", diff)
	}
}

// checkDictionary compares search and words with the products.
func checkDictionary(t *testing.T, d *pgtest.Database) {
	t.Helper()
	pool := pgtest.Open(t, d.AdminURL)
	for name, query := range map[string]string{
		"search differs from the products": `
			SELECT p.id
			  FROM (SELECT id, name, description FROM product.products WHERE deleted_at IS NULL) AS p
			  FULL JOIN product.search AS s ON s.product_id = p.id
			 WHERE s.words IS DISTINCT FROM array_to_tsvector(product.words_of(p.name || ' ' || p.description))`,
		"words differ from search": `
			SELECT coalesce(w.word, s.word)
			  FROM product.words AS w
			  FULL JOIN ts_stat('SELECT words FROM product.search') AS s ON s.word = w.word
			 WHERE w.products IS DISTINCT FROM s.ndoc`,
	} {
		if got := column(t, pool, query); len(got) > 0 {
			t.Errorf("%s: %d, such as %q", name, len(got), got[0])
		}
	}
}
