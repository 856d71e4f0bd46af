package api_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"craftista/product/internal/core"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestSearch asks a small gallery for words. A product's name is its letter and
// some words; an answer is the letters.
func TestSearch(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	for i, words := range []string{
		"a Paper crane", "b Crane with a nest", "c Elephant, trunk up", "d Ñandú 100%", "e Жар-птица",
		"f Waterbomb base", "g Frame for a crane", "h o'clock it's_odd \\ back", "i 折り紙",
	} {
		g.describe(t, words, "Flies.", day(1+i))
	}
	g.describe(t, "j Swan", "Folded like a crane, WINGS spread.", day(20))
	for query, want := range map[string]string{
		"crane": "abgj", "CRANE": "abgj", " crane\t\n": "abgj", "cra": "abgj", "c": "abcghj",
		"crane!": "abgj", "\"crane\"": "abgj",
		"crane paper": "a", "paper crane": "a", "crane crane": "abgj", "pa cr": "a", "crane frog": "", "crane, flies": "abg",
		"wings": "j", "spread wings swan": "j",
		"crnae": "abgj", "crne": "abgj", "craane": "abgj", "crame": "abgj", // one edit of crane; frame is two from crnae
		"frame": "g", "frane": "abgj", "fraame": "g",
		"cran e": "", "crane e": "", "crx": "", "crn": "", "crnaae": "", "rcnae": "", // too short, or too far
		"elefant": "", "elephnat": "c", "elefantt": "", "elepphannt": "c", "eelephatn": "c",
		"elephant's": "", "lpehant": "", "leephant": "c", "trunc": "c",
		"waterbmob": "f", "wtaerbmob": "f", "watrbomb": "f", "waterbob base": "f",
		"waterbob bass": "f", "elephbnat crame": "",
		"nandu": "d", "ÑANDÚ": "d", "n\u0303andu\u0301": "d", "ñan": "d", "nanud": "d", "100%": "d", "100": "d", "100 %": "d",
		"жар": "e", "ПТИЦА": "e", "птитса": "", "птицаа": "e", "折り": "i", "折り紙": "i", "り": "",
		"it's": "h", "o'cl": "h", "back": "h", "\\": "abcdefghij", "odd": "h", "clokc": "h",
		"": "abcdefghij", " ": "abcdefghij", "!?&": "abcdefghij", "★": "abcdefghij",
		"crane & paper": "a", "crane | swan": "j", "!crane": "abgj", "crane:*": "abgj", "crane:A": "abgj",
		"(crane": "abgj", "'crane'": "abgj",
		"crane <-> nest": "b", "cr%": "abgj", "cr_": "abgj", "$1": "d", "'; DROP TABLE product.products; --": "",
		"\u200b": "abcdefghij", "\U0010ffff": "abcdefghij", "🦢": "abcdefghij",
		"crane 🦢": "abgj", "👩🏽‍🎨crane🏴󠁧󠁢󠁥󠁮󠁧󠁿": "abgj", "𝖈𝖗𝖆𝖓𝖊": "abgj", "𠮷": "", "crane\u0000"[:5]: "abgj",
		strings.Repeat("a ", 50): "abgj", strings.Repeat("x", 100): "", strings.Repeat("é", 100): "",
	} {
		for _, target := range []string{"/api/products", "/api/origamis"} {
			got := ""
			for _, p := range body[[]product](t, call(t, h, "GET", target+"?q="+url.QueryEscape(query), ""), 200) {
				got += p.Name[:1]
			}
			if got != want {
				t.Errorf("%s q=%q: got %q, want %q", target, query, got, want)
			}
		}
	}
}

func TestSearchRefuses(t *testing.T) {
	t.Parallel()
	h := newGallery(t).service(core.NoCache{})
	for query, want := range map[string]string{
		strings.Repeat("x", 101):    "must have at most 100 characters",
		strings.Repeat("é", 101):    "must have at most 100 characters",
		strings.Repeat(" ", 10_000): "must have at most 100 characters",
		"crane\x00":                 "must be text in UTF-8",
		"\xff":                      "must be text in UTF-8",
		"\xed\xa0\x80":              "must be text in UTF-8", // half of a surrogate pair
	} {
		w := call(t, h, "GET", "/api/products?q="+url.QueryEscape(query), "")
		if diff := gocmp.Diff(body[problem](t, w, 422).Errors, []field{{"q", want}}); diff != "" {
			t.Errorf("%.10q (-got +want):\n%s", query, diff)
		}
	}
}

// TestSearchFollowsEdits: a product is found by what it says now, and by nothing
// after its deletion.
func TestSearchFollowsEdits(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	id := g.describe(t, "Crane", "Flies.", day(1))
	found := func(query string) int {
		return len(body[[]product](t, call(t, h, "GET", "/api/products?q="+query, ""), 200))
	}
	if found("crane") != 1 || found("grane") != 1 || found("swan") != 0 {
		t.Error("a new product is not found by its words")
	}
	mustExec(t, g, `UPDATE product.products SET name = 'Swan' WHERE id = $1`, id)
	if found("crane") != 0 || found("grane") != 0 || found("swan") != 1 || found("flies") != 1 {
		t.Error("an edited product is not found by its new words alone")
	}
	mustExec(t, g, `UPDATE product.products SET deleted_at = now() WHERE id = $1`, id)
	if found("swan") != 0 || found("flies") != 0 {
		t.Error("a deleted product is found")
	}
}

// describe adds a product of that name, description and age and returns its id.
func (g *gallery) describe(t *testing.T, name, description string, created time.Time) int64 {
	t.Helper()
	id := g.addProduct(t, name, created)
	mustExec(t, g, `UPDATE product.products SET description = $2 WHERE id = $1`, id, description)
	return id
}

func mustExec(t *testing.T, g *gallery, statement string, args ...any) {
	t.Helper()
	if _, err := g.db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}
