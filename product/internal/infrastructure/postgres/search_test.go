package postgres

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"craftista/db"
	"craftista/db/pgtest"
	"craftista/product/internal/core"
	"craftista/shared/pg"
	"craftista/shared/telemetry"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
)

// TestEveryWayFindsTheSame compares each way to find pieces, also those that
// only a large catalogue would take, with a look at every piece.
func TestEveryWayFindsTheSame(t *testing.T) {
	t.Parallel()
	s, gallery := filled(t)
	for _, query := range []string{"folded", "crane", "f", "craen", "crane folded", "folded by a", "marbeld bird fo", "kyoto q"} {
		terms, _, err := s.terms(t.Context(), query)
		if err != nil || len(terms) != len(strings.Fields(query)) {
			t.Fatalf("%q: terms %v, %v", query, terms, err)
		}
		for _, sort := range []core.Sort{core.SortID, core.SortVotes, core.SortName, core.SortNewest} {
			want := matching(gallery, terms, sort)
			all := map[string]candidates{
				"sorted by a word": sorted(terms[len(terms)-1]), "sorted by all": sorted(terms[0], terms[1:]...),
				"sorted by unnamed words": sorted(unnamed(terms)[0], unnamed(terms)[1:]...),
				"ahead":                   ahead(1000), "ahead with a word": ahead(1000, terms[0]),
				"ahead with all": ahead(1000, terms...), "ahead with rare words": ahead(1000, rare(terms)...),
			}
			if sort == core.SortID {
				all["within all chunks"] = within(0, terms[0], terms[1:]...)
				all["within all chunks by a word"] = within(0, terms[0])
			} else {
				all["nearest by all"] = nearest(7, terms[0], terms[1:]...)
				all["nearest by a word"] = nearest(300, terms[0])
			}
			for name, from := range all {
				p := core.Page{Sort: sort, Limit: 7, After: sort.Start()}
				var got []int64
				for range len(gallery) {
					page, err := s.find(t.Context(), p, terms, from)
					if err != nil {
						t.Fatal(err)
					}
					for _, found := range page {
						got, p.After = append(got, found.ID), sort.At(found)
					}
					if len(page) < p.Limit {
						break
					}
				}
				if diff := cmp.Diff(got, want); diff != "" {
					t.Errorf("%q by %s, %s (-got +want):\n%s", query, sort, name, diff)
				}
			}
		}
	}
}

// TestTheNextChunksComeFirst: a part of the postings has the pieces of its ids.
func TestTheNextChunksComeFirst(t *testing.T) {
	t.Parallel()
	s, gallery := filled(t)
	terms, _, err := s.terms(t.Context(), "folded by")
	if err != nil {
		t.Fatal(err)
	}
	for _, chunks := range []int64{1, 2, 5} {
		for _, after := range []int64{0, 8191, 8192, 40_000, 1 << 40} {
			p := core.Page{Sort: core.SortID, Limit: 300, After: core.Position{ID: after}}
			want := []int64{}
			for _, id := range matching(gallery, terms, core.SortID) {
				if id > after && id/chunkSize < after/chunkSize+chunks {
					want = append(want, id)
				}
			}
			found, err := s.find(t.Context(), p, terms, within(chunks, terms[0], terms[1:]...))
			if err != nil {
				t.Fatal(err)
			}
			got := []int64{}
			for _, p := range found {
				got = append(got, p.ID)
			}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("%d chunks after %d (-got +want):\n%s", chunks, after, diff)
			}
		}
	}
}

// rare are the terms as if none of their words were common.
func rare(terms []term) []term {
	terms = slices.Clone(terms)
	for i, t := range terms {
		terms[i].held = t.pieces
	}
	return terms
}

// unnamed are the terms as if too many words began so.
func unnamed(terms []term) []term {
	terms = slices.Clone(terms)
	for i, t := range terms {
		if t.asked != "" {
			terms[i].words = nil
		}
	}
	return terms
}

// TestAWalkSeesTheEnd of an order, beyond which there is nothing to look for.
func TestAWalkSeesTheEnd(t *testing.T) {
	t.Parallel()
	s, gallery := filled(t)
	for steps, more := range map[int]bool{1: true, len(gallery) - 1: true, len(gallery): false, len(gallery) + 1: false} {
		got, err := s.goesOn(t.Context(), core.Page{Sort: core.SortName}, steps)
		if err != nil || got != more {
			t.Errorf("after %d steps: %t, %v", steps, got, err)
		}
	}
}

// TestMisspellingsFindWhatIsNear compares the look-up with a look at each word.
func TestMisspellingsFindWhatIsNear(t *testing.T) {
	t.Parallel()
	s, _ := filled(t)
	var dictionary []string
	if err := s.db.SelectContext(t.Context(), &dictionary, `SELECT word FROM product.words ORDER BY word`); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	tried := 0
	for range 400 {
		word := mangle(r, dictionary[r.IntN(len(dictionary))])
		if slices.ContainsFunc(dictionary, func(known string) bool { return strings.HasPrefix(known, word) }) || len([]rune(word)) < 4 {
			continue
		}
		var want []string
		least := 9
		for _, known := range dictionary {
			edits, may := core.Misspells(word, known)
			if may && edits < least {
				want, least = nil, edits
			}
			if may && edits == least {
				want = append(want, known)
			}
		}
		terms, _, err := s.terms(t.Context(), word)
		if err != nil || len(terms) != 1 {
			t.Fatalf("%q: terms %v, %v", word, terms, err)
		}
		got := terms[0].words
		if terms[0].asked != "" {
			got = nil
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%q (-got +want):\n%s", word, diff)
		}
		tried++
	}
	if tried < 200 {
		t.Errorf("only %d words were tried", tried)
	}
}

// TestHeldPiecesAreHashed: PostgreSQL compares the order with a hash table, though
// it must believe that a word may have every piece.
func TestHeldPiecesAreHashed(t *testing.T) {
	t.Parallel()
	s, _ := filled(t)
	var args arguments
	o := orderOf(core.Page{Sort: core.SortVotes, After: core.SortVotes.Start()}, &args)
	query := "EXPLAIN " + ahead(1000, term{asked: "f"})(o, &args)
	var lines []string
	if err := s.db.SelectContext(t.Context(), &lines, query, args...); err != nil {
		t.Fatal(err)
	}
	if plan := strings.Join(lines, "\n"); !strings.Contains(plan, "hashed SubPlan") {
		t.Errorf("plan:\n%s", plan)
	}
}

// filled is a store with some hundred made-up pieces, whose ids are far apart,
// and these.
func filled(t *testing.T) (*Store, []core.Product) {
	t.Helper()
	d := pgtest.New(t)
	if _, err := open(t, d.AdminURL).ExecContext(t.Context(), `ALTER SEQUENCE product.products_id_seq INCREMENT BY 333`); err != nil {
		t.Fatal(err)
	}
	if err := db.Fill(t.Context(), d.AdminURL, db.Amounts{Products: 300, Votes: 900}, func(db.Amounts) {}); err != nil {
		t.Fatal(err)
	}
	s := NewStore(open(t, d.ProductURL))
	all, err := s.Products(t.Context(), core.Page{Sort: core.SortID, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return s, all
}

func open(t *testing.T, url string) *sqlx.DB {
	t.Helper()
	pool, err := pg.Open(url, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}

// matching are the ids of the pieces that have all terms, in order.
func matching(gallery []core.Product, terms []term, sort core.Sort) (ids []int64) {
	var found []core.Product
	for _, p := range gallery {
		words := strings.FieldsFunc(strings.ToLower(p.Name+" "+p.Description), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if !slices.ContainsFunc(terms, func(t term) bool { return !has(words, t) }) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b core.Product) int {
		key := func(p core.Product) string {
			at := sort.At(p)
			return fmt.Sprintf("%019d %s", 1<<60-at.Votes, at.Name)
		}
		ids := int(a.ID - b.ID)
		if sort == core.SortVotes || sort == core.SortNewest {
			ids = -ids
		}
		if c := b.CreatedAt.Compare(a.CreatedAt); sort == core.SortNewest && c != 0 {
			return c
		}
		if c := strings.Compare(key(a), key(b)); c != 0 {
			return c
		}
		return ids
	})
	for _, p := range found {
		ids = append(ids, p.ID)
	}
	return ids
}

func has(words []string, t term) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		return slices.Contains(t.words, word) || t.asked != "" && strings.HasPrefix(word, t.asked)
	})
}

// mangle makes up to three edits.
func mangle(r *rand.Rand, word string) string {
	letters := []rune(word)
	for range r.IntN(4) {
		i := r.IntN(len(letters))
		letter := rune('a' + r.IntN(26))
		switch {
		case r.IntN(4) == 0 && len(letters) > 1:
			letters = slices.Delete(letters, i, i+1)
		case r.IntN(3) == 0:
			letters = slices.Insert(letters, i, letter)
		case r.IntN(2) == 0 && i > 0:
			letters[i], letters[i-1] = letters[i-1], letters[i]
		default:
			letters[i] = letter
		}
	}
	return string(letters)
}
