package api_test

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"craftista/product/internal/core"

	gocmp "github.com/google/go-cmp/cmp"
)

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// follow walks from target along the Link headers, calling between after each
// page, and returns the products.
func follow(t *testing.T, h http.Handler, target string, between func()) (all []product) {
	t.Helper()
	for target != "" {
		w := call(t, h, "GET", target, "")
		all = append(all, body[[]product](t, w, 200)...)
		target = strings.TrimSuffix(strings.TrimPrefix(w.Header().Get("Link"), "<"), `>; rel="next"`)
		between()
	}
	return all
}

// TestWalkSeesEveryProductOnce walks each order in pages of several sizes over
// products with equal names, ages and counts: over all, and over those that a
// search finds, some by a typo. Between pages users vote, unless votes are the
// order, and products come and go.
func TestWalkSeesEveryProductOnce(t *testing.T) {
	t.Parallel()
	orders := map[string]func(a, b product) int{
		"id":          func(a, b product) int { return cmp.Compare(a.ID, b.ID) },
		"-votes":      func(a, b product) int { return cmp.Or(cmp.Compare(b.Votes, a.Votes), cmp.Compare(b.ID, a.ID)) },
		"name":        func(a, b product) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) },
		"-created_at": func(a, b product) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID)) },
	}
	for sort := range orders {
		for _, limit := range []string{"1", "7", ""} {
			for _, filter := range []string{"", "crnae+folded", "&difficulty=advanced", "crnae&difficulty=advanced"} {
				t.Run(fmt.Sprintf("%s by %q of %q", sort, limit, filter), func(t *testing.T) {
					t.Parallel()
					walk(t, "/api/products?keep=a%26b&limit="+limit+"&sort="+sort+"&q="+filter, orders[sort])
				})
			}
		}
	}
}

func walk(t *testing.T, target string, order func(a, b product) int) {
	g := newGallery(t)
	h := g.service(core.NoCache{})
	names := []string{"zebra crane", "Ente", "Crane", "100% crane", "paper cranes", `a"<b>&`} // cranes is two edits away
	for i := range 30 {
		g.addVotes(t, g.describe(t, names[i%len(names)], "Folded.", day(1+i%3)), i%4)
	}
	mustExec(t, g, `UPDATE product.products SET difficulty = 'advanced' WHERE id % 4 = 1`)
	want := follow(t, h, "/api/origamis?limit=100", func() {})
	slices.SortFunc(want, order)
	userID, passing := int64(100), g.describe(t, "zz crane", "Folded.", time.Now())
	got := follow(t, h, target, func() {
		userID++
		for _, p := range want[userID%9:] {
			if !strings.Contains(target, "-votes") {
				call(t, h, "POST", path(p.ID, "/vote"), g.token(userID))
			}
		}
		mustExec(t, g, `UPDATE product.products SET deleted_at = now() WHERE id = $1`, passing)
		passing = g.describe(t, "! crane", "Folded.", time.Now()) // before all others, or after
	})
	got = slices.DeleteFunc(got, func(p product) bool { return p.CreatedAt.After(day(3)) })
	want = slices.DeleteFunc(want, func(p product) bool {
		return strings.Contains(target, "crnae") && !strings.HasSuffix(strings.ToLower(p.Name), "crane") ||
			strings.Contains(target, "difficulty") && p.Difficulty != "advanced"
	})
	byID := gocmp.Comparer(func(a, b product) bool { return a.ID == b.ID })
	if diff := gocmp.Diff(got, want, byID); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// TestLinkKeepsTheRequest and is left out of the last page. A page has 24 products
// if nobody says how many.
func TestLinkKeepsTheRequest(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	empty := call(t, h, "GET", "/api/products", "")
	if got := empty.Body.String(); got != "[]" || empty.Header().Get("Link") != "" {
		t.Errorf("empty catalogue: %s, Link %q", got, empty.Header().Get("Link"))
	}
	first := g.addProduct(t, "Crane", day(1))
	for range 24 {
		g.addProduct(t, "Crane", day(1))
	}
	after := func(n int64) string { return "cursor=" + encode(fmt.Sprintf(`{"s":"id","i":%d}`, first-1+n)) }
	for target, want := range map[string]string{
		"/api/origamis?limit=1&x=a%20b":            "</api/origamis?" + after(1) + `&limit=1&x=a+b>; rel="next"`,
		"/api/origamis?limit=1&q=Cr%C3%A4ne+fl%26": "</api/origamis?" + after(1) + `&limit=1&q=Cr%C3%A4ne+fl%26>; rel="next"`,
		"/api/products":                            "</api/products?" + after(24) + `>; rel="next"`,
		"/api/products?limit=25":                   "",
	} {
		if got := call(t, h, "GET", target, "").Header().Get("Link"); got != want {
			t.Errorf("%s: Link %q, want %q", target, got, want)
		}
	}
}
