package postgres

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"craftista/db"
	"craftista/db/pgtest"
	"craftista/product/internal/core"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
)

var everySort = []core.Sort{core.SortID, core.SortVotes, core.SortName, core.SortNewest}

// TestBothPlansFindTheSame compares the pages of each plan, also where only a
// large catalogue would take it, with a search through all products in Go.
func TestBothPlansFindTheSame(t *testing.T) {
	t.Parallel()
	s, all := filled(t)
	plans := map[string]func(core.Page, []term) ([]core.Product, error){
		"matches first": func(p core.Page, terms []term) ([]core.Product, error) {
			return s.sortMatches(t.Context(), p, terms)
		},
		"order first": func(p core.Page, terms []term) ([]core.Product, error) {
			found, complete, err := s.filterOrder(t.Context(), p, terms, len(all)+1)
			if !complete {
				t.Errorf("not complete after %d steps", len(all)+1)
			}
			return found, err
		},
	}
	for query, words := range map[string][]string{
		"folded": {"folded*"}, "f": {"f*"}, "craen": {"crane"}, "crane folded": {"crane*", "folded*"},
		"folded by a": {"folded*", "by*", "a*"},
		"a osaka":     {"a*", "osaka*"}, // osaka alone is read from the index
		"kyoto q":     {"kyoto*", "q*"}, "marbeld bird": {"marbled", "bird*"},
	} {
		terms, _, err := s.terms(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for _, sort := range everySort {
			want, difficulty := matching(all, words, sort), ""
			if sort == core.SortName { // any one will do
				difficulty = all[slices.IndexFunc(all, func(p core.Product) bool { return p.ID == want[0] })].Difficulty
				want = matching(slices.DeleteFunc(slices.Clone(all), func(p core.Product) bool {
					return p.Difficulty != difficulty
				}), words, sort)
			}
			for name, plan := range plans {
				var got []int64
				for p := (core.Page{Difficulty: difficulty, Sort: sort, Limit: 7, After: sort.Start()}); ; {
					page, err := plan(p, terms)
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
				if diff := gocmp.Diff(got, want); diff != "" || len(want) == 0 {
					t.Errorf("%q by %s, %s (-got +want):\n%s", query, sort, name, diff)
				}
			}
		}
	}
}

// TestFilterOrderTellsWhetherItIsComplete: of so many steps, what follows them
// may be missing.
func TestFilterOrderTellsWhetherItIsComplete(t *testing.T) {
	t.Parallel()
	s, all := filled(t)
	p := core.Page{Sort: core.SortName, Limit: 10, After: core.SortName.Start()}
	for _, row := range []struct {
		query    string
		steps    int
		found    int
		complete bool
	}{
		{"'folded':*", 9, 9, false},
		{"'folded':*", 10, 10, true}, // the page is full
		{"'folded':*", len(all), 10, true},
		{"'xq':*", len(all), 0, false}, // others might follow
		{"'xq':*", len(all) + 1, 0, true},
	} {
		found, complete, err := s.filterOrder(t.Context(), p, []term{{words: row.query}}, row.steps)
		if err != nil || len(found) != row.found || complete != row.complete {
			t.Errorf("%s in %d steps: found %d, complete %t, %v", row.query, row.steps, len(found), complete, err)
		}
	}
}

// TestCorrectedFindsTheNearestWords compares the query with a look at each word.
func TestCorrectedFindsTheNearestWords(t *testing.T) {
	t.Parallel()
	s, _ := filled(t)
	var dictionary []string
	if err := s.db.SelectContext(t.Context(), &dictionary, `SELECT word FROM product.words ORDER BY word`); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	corrected := 0
	for range 800 {
		asked := mangle(r, dictionary[r.IntN(len(dictionary))])
		var want []string
		least := core.MaxEdits(asked)
		for _, word := range dictionary {
			edits := core.Edits(asked, word)
			if edits < least {
				want, least = nil, edits
			}
			if edits == least && least > 0 {
				want = append(want, quote(word))
			}
		}
		got, err := s.corrected(t.Context(), asked)
		if err != nil {
			t.Fatal(err)
		}
		if least == 0 { // too short, or a word of the dictionary
			continue
		}
		if diff := gocmp.Diff(got.words, "("+strings.Join(want, " | ")+")"); diff != "" {
			t.Errorf("%q (-got +want):\n%s", asked, diff)
		}
		corrected += len(want)
	}
	if corrected < 200 {
		t.Errorf("only %d words were found", corrected)
	}
}

// TestAPlanFollowsTheEstimate: rare words are looked up, common ones are found
// along the order.
func TestAPlanFollowsTheEstimate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		products []int64 // that have each word, of a million in all
		limit    int
		steps    int // along the order; 0 if matches come first
	}{
		{[]int64{0}, 25, 0},
		{[]int64{4999}, 25, 0},
		{[]int64{5001}, 25, 2 * 4999},
		{[]int64{20_000}, 25, 2 * 1250},
		{[]int64{20_000}, 101, 2 * 5050},
		{[]int64{2_000_000}, 25, 1000}, // some have two words that begin so
		{[]int64{50_000, 50_000}, 25, 0},
		{[]int64{125_000, 125_000}, 25, 2 * 1600},
		{[]int64{900_000, 100}, 25, 0},
	} {
		terms := make([]term, len(row.products))
		for i, n := range row.products {
			terms[i].products = n
		}
		if got := stepsAlong(share(terms, 1_000_000), 1_000_000, row.limit); got != row.steps {
			t.Errorf("%v, %d a page: got %d steps, want %d", row.products, row.limit, got, row.steps)
		}
	}
}

// TestRarestLeavesOutWhatIsFrequent: if all terms are frequent, they stay.
func TestRarestLeavesOutWhatIsFrequent(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ products, want []int64 }{
		{[]int64{7}, []int64{7}},
		{[]int64{100_000, 50_000}, []int64{100_000, 50_000}},
		{[]int64{33, 2, 32, 1, 1_000_000}, []int64{2, 32, 1}},
	} {
		terms := make([]term, len(row.products))
		for i, n := range row.products {
			terms[i].products = n
		}
		var got []int64
		for _, t := range rarest(terms) {
			got = append(got, t.products)
		}
		if diff := gocmp.Diff(got, row.want); diff != "" {
			t.Errorf("of %v (-got +want):\n%s", row.products, diff)
		}
	}
}

// filled is a store with some hundred made-up products, and these.
func filled(t *testing.T) (*Store, []core.Product) {
	t.Helper()
	d := pgtest.New(t)
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
	return sqlx.NewDb(pgtest.Open(t, url), "postgres")
}

// matching are the ids of the products that have all the words, in order. A word
// with a star stands for all that begin so.
func matching(all []core.Product, words []string, sort core.Sort) (ids []int64) {
	found := slices.Clone(all)
	found = slices.DeleteFunc(found, func(p core.Product) bool {
		text := strings.FieldsFunc(strings.ToLower(p.Name+" "+p.Description), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r)
		})
		return slices.ContainsFunc(words, func(word string) bool {
			start, prefix := strings.CutSuffix(word, "*")
			return !slices.ContainsFunc(text, func(w string) bool {
				return w == start || prefix && strings.HasPrefix(w, start)
			})
		})
	})
	slices.SortFunc(found, func(a, b core.Product) int {
		switch id := cmp.Compare(a.ID, b.ID); sort {
		case core.SortVotes:
			return cmp.Or(cmp.Compare(b.Votes, a.Votes), -id)
		case core.SortName:
			return cmp.Or(cmp.Compare(a.Name, b.Name), id)
		case core.SortNewest:
			return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), -id)
		default:
			return id
		}
	})
	for _, p := range found {
		ids = append(ids, p.ID)
	}
	return ids
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
