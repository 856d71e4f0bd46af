package db_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/db/pgtest"

	"github.com/google/go-cmp/cmp"
)

func TestWordsOf(t *testing.T) {
	t.Parallel()
	pool := open(t, pgtest.New(t).ProductURL)
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

// TestTheDictionaryFollowsThePieces has sessions add, edit and delete pieces all at once, singly and many.
func TestTheDictionaryFollowsThePieces(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	product := open(t, d.ProductURL)
	const insert = `
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
		SELECT $1 || ' ' || n, $2, '/x.svg', 'easy', 1, 'd'
		  FROM generate_series(1, $3::integer) AS n`
	mustExec(t, open(t, d.AdminURL), insert, "Paper crane", "A crane of paper.", 10)
	words := []string{"crane", "paper", "swan", "lotus", "folded", "quiet", "Ähre"}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for seed := range 6 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(seed), 9))
			word := func() string { return words[r.IntN(len(words))] }
			for ctx.Err() == nil {
				var err error
				switch r.IntN(4) {
				case 0:
					_, err = product.ExecContext(ctx, insert, word()+" "+word(), word()+strconv.Itoa(r.IntN(9)), 1+r.IntN(3))
				case 1:
					_, err = product.ExecContext(ctx, `UPDATE product.products SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END WHERE id = $1`, 1+r.IntN(40))
				default:
					_, err = product.ExecContext(ctx, `UPDATE product.products SET name = $2, description = $3 WHERE id = $1`, 1+r.IntN(40), word(), word()+" "+word())
				}
				if err != nil && ctx.Err() == nil {
					t.Errorf("write pieces: %v", err)
				}
			}
		})
	}
	wg.Wait()
	checkDictionary(t, d)
	mustExec(t, product, `UPDATE product.products SET deleted_at = now()`)
	for _, table := range []string{"search", "postings", "words", "misspellings"} {
		if diff := cmp.Diff(column(t, product, `SELECT count(*) FROM product.`+table), []string{"0"}); diff != "" {
			t.Errorf("%s after the last piece (-got +want):\n%s", table, diff)
		}
	}
}

// TestVotesDoNotTouchTheSearch: a vote writes its piece, which must not index its words anew.
func TestVotesDoNotTouchTheSearch(t *testing.T) {
	t.Parallel()
	d := pgtest.NewSeeded(t)
	const rows = `SELECT product_id || ' ' || xmin FROM product.search ORDER BY product_id`
	product := open(t, d.ProductURL)
	before := column(t, product, rows)
	mustExec(t, product, `INSERT INTO product.votes (person_id, product_id) SELECT 9999, id FROM product.products`)
	if diff := cmp.Diff(column(t, product, rows), before); diff != "" {
		t.Errorf("after votes (-got +want):\n%s", diff)
	}
}

// TestPlacesFollowThePieces has sessions vote for, edit and delete pieces of two chunks all at once.
func TestPlacesFollowThePieces(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	admin, product := open(t, d.AdminURL), open(t, d.ProductURL)
	mustExec(t, admin, `ALTER SEQUENCE product.products_id_seq RESTART WITH 8180`)
	const insert = `
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper, created_at)
		SELECT chr(60 + $1 + n) || ' crane', 'd', '/x.svg', 'easy', 1, 'd', make_timestamptz(2018 + 2 * n, 1, 1, 0, 0, 0, 'UTC')
		  FROM generate_series(1, 20) AS n`
	mustExec(t, product, insert, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for seed := range 6 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(seed), 10))
			for ctx.Err() == nil {
				id := 8180 + r.IntN(20)
				var err error
				switch r.IntN(8) {
				case 0:
					_, err = product.ExecContext(ctx, insert, r.IntN(50))
				case 1:
					_, err = product.ExecContext(ctx, `UPDATE product.products SET name = $2 WHERE id = $1`, id, string(rune(32+r.IntN(200)))+" swan")
				case 2:
					_, err = product.ExecContext(ctx, `UPDATE product.products SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END WHERE id = $1`, id)
				case 3:
					_, err = product.ExecContext(ctx, `DELETE FROM product.votes WHERE product_id = $1`, id)
				default:
					_, err = product.ExecContext(ctx, `
						INSERT INTO product.votes (person_id, product_id)
						SELECT n, $1 FROM generate_series(1, $2::integer) AS n
						    ON CONFLICT (person_id, product_id) DO NOTHING`, id, 1<<r.IntN(8))
				}
				if err != nil && ctx.Err() == nil {
					t.Errorf("write pieces and votes: %v", err)
				}
			}
		})
	}
	wg.Wait()
	checkPlaces(t, d, 5)
}

// TestBulkVotesDoNotDeadlock: two sessions take pieces of two chunks to other places and back, each its own pieces, which
// lie in the table in opposing orders.
func TestBulkVotesDoNotDeadlock(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	product := open(t, d.ProductURL)
	mustExec(t, open(t, d.AdminURL), `
		INSERT INTO product.products (id, name, description, image_url, difficulty, folds, paper)
		OVERRIDING SYSTEM VALUE
		SELECT id, 'Crane', 'd', '/x.svg', 'easy', 1, 'd'
		  FROM generate_series(8192 - 100, 8192 + 99) AS id
		 ORDER BY CASE id % 2 WHEN 0 THEN id ELSE -id END`)
	var wg sync.WaitGroup
	for session := range 2 {
		wg.Go(func() {
			for range 30 {
				for _, statement := range []string{
					`INSERT INTO product.votes (person_id, product_id)
					 SELECT n, id FROM product.products, generate_series(1, 8) AS n WHERE id % 2 = $1`,
					`DELETE FROM product.votes WHERE product_id % 2 = $1`,
				} {
					if _, err := product.ExecContext(t.Context(), statement, session); err != nil {
						t.Errorf("vote: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	checkPlaces(t, d, 1)
}

// checkPlaces compares the places with the pieces, and sees that so many at least are in use in each order and that none comes
// after a later one.
func checkPlaces(t *testing.T, d *pgtest.Database, used int) {
	t.Helper()
	pool := open(t, d.AdminURL)
	const of = `
		SELECT p.*, o.sort, o.place
		  FROM product.products AS p, product.places_of(p.votes, p.name, p.created_at) AS o`
	const wrong = `
		SELECT p.sort || ' of ' || p.id
		  FROM (` + of + `) AS p
		  LEFT JOIN product.places AS k ON k.sort = p.sort AND k.half = p.id >> 12
		 WHERE substring(k.places FROM (p.id & 4095)::integer * 4 + 1 FOR 4) IS DISTINCT FROM p.place`
	if got := column(t, pool, wrong); len(got) > 0 {
		t.Errorf("places differ from the pieces: %d, such as the one by %s", len(got), got[0])
	}
	for sort, by := range map[string]string{"-votes": "votes DESC", "name": "name", "-created_at": "created_at DESC"} {
		query := `
			SELECT id::text
			  FROM (SELECT p.id, p.place < max(p.place::text) OVER (ORDER BY ` + by + `)::bit(4) AS late
			          FROM (` + of + `) AS p
			         WHERE p.sort = '` + sort + `') AS p
			 WHERE late`
		if got := column(t, pool, query); len(got) > 0 {
			t.Errorf("places by %s go back: %d times, such as at %s", sort, len(got), got[0])
		}
		if got := column(t, pool, `SELECT DISTINCT p.place::text FROM (`+of+`) AS p WHERE p.sort = '`+sort+`'`); len(got) < used {
			t.Errorf("places by %s in use: %q", sort, got)
		}
	}
}

// checkDictionary compares search, words and misspellings with the pieces.
func checkDictionary(t *testing.T, d *pgtest.Database) {
	t.Helper()
	pool := open(t, d.AdminURL)
	for name, query := range map[string]string{
		"search differs from the pieces": `
			SELECT p.id
			  FROM (SELECT id, name, description FROM product.products WHERE deleted_at IS NULL) AS p
			  FULL JOIN product.search AS s ON s.product_id = p.id
			 WHERE s.words IS DISTINCT FROM array_to_tsvector(product.words_of(p.name || ' ' || p.description))`,
		"words differ from search": `
			SELECT coalesce(w.word, s.word)
			  FROM product.words AS w
			  FULL JOIN ts_stat('SELECT words FROM product.search') AS s ON s.word = w.word
			 WHERE w.pieces IS DISTINCT FROM s.ndoc`,
		"postings differ from search": `
			SELECT coalesce(p.word, s.word) || ' ' || coalesce(p.id, s.product_id)
			  FROM (SELECT word, chunk * 8192 + o AS id FROM product.postings, unnest(offsets) AS o) AS p
			  FULL JOIN (SELECT product_id, word FROM product.search, unnest(tsvector_to_array(words)) AS word) AS s
			    ON s.word = p.word AND s.product_id = p.id
			 WHERE s.word IS NULL OR p.word IS NULL
			 UNION ALL
			SELECT word FROM product.postings WHERE offsets = '{}'`,
		"bits differ from offsets": `
			SELECT word
			  FROM product.postings
			 WHERE bits <> product.bits_of(offsets)
			    OR bits IS NULL AND cardinality(offsets) >= 16`,
		"misspellings differ from words": `
			(SELECT m.misspelling || ' ' || w.word FROM product.words AS w, product.misspellings_of(w.word) AS m (misspelling)
			  WHERE length(w.word) >= 3
			 EXCEPT SELECT misspelling || ' ' || word FROM product.misspellings)
			 UNION ALL
			(SELECT misspelling || ' ' || word FROM product.misspellings
			 EXCEPT SELECT m.misspelling || ' ' || w.word FROM product.words AS w, product.misspellings_of(w.word) AS m (misspelling))`,
	} {
		if got := column(t, pool, query); len(got) > 0 {
			t.Errorf("%s: %d, such as %q", name, len(got), got[0])
		}
	}
}
