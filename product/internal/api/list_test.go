package api_test

import (
	"cmp"
	"encoding/base64"
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
// page, and returns the products and the pages.
func follow(t *testing.T, h http.Handler, target string, between func()) (all []product, pages int) {
	t.Helper()
	for target != "" {
		w := call(t, h, "GET", target, "")
		all = append(all, body[[]product](t, w, 200)...)
		pages++
		target = strings.TrimSuffix(strings.TrimPrefix(w.Header().Get("Link"), "<"), `>; rel="next"`)
		between()
	}
	return all, pages
}

// TestWalkSeesEveryProductOnce walks each order in pages of several sizes over
// products with equal names, ages and counts.
func TestWalkSeesEveryProductOnce(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	for i := range 30 {
		id := g.addProduct(t, []string{"zebra", "Ente", "crane 100%", "ñandú", `a"<b>&`}[i%5], day(1+i%3))
		g.addVotes(t, id, i%4)
	}
	orders := map[string]func(a, b product) int{
		"":            func(a, b product) int { return cmp.Compare(a.ID, b.ID) },
		"id":          func(a, b product) int { return cmp.Compare(a.ID, b.ID) },
		"-votes":      func(a, b product) int { return cmp.Or(cmp.Compare(b.Votes, a.Votes), cmp.Compare(b.ID, a.ID)) },
		"name":        func(a, b product) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) },
		"-created_at": func(a, b product) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID)) },
	}
	for sort, order := range orders {
		for limit, wantPages := range map[string]int{"1": 30, "7": 5, "10": 3, "30": 1, "100": 1, "": 2} {
			t.Run(sort+" by "+limit, func(t *testing.T) {
				t.Parallel()
				got, pages := follow(t, h, "/api/products?keep=a%26b&limit="+limit+"&sort="+sort, func() {})
				if pages != wantPages {
					t.Errorf("%d pages, want %d", pages, wantPages)
				}
				want := body[[]product](t, call(t, h, "GET", "/api/origamis?limit=100", ""), 200)
				slices.SortFunc(want, order)
				if diff := gocmp.Diff(got, want); diff != "" || len(want) != 30 {
					t.Errorf("walk of %d (-got +want):\n%s", len(want), diff)
				}
			})
		}
	}
}

// TestWalkWhileVotesMove votes and unvotes, adds and removes between pages: an
// order that votes do not decide still shows each lasting product once.
func TestWalkWhileVotesMove(t *testing.T) {
	t.Parallel()
	for _, sort := range []string{"id", "name", "-created_at"} {
		t.Run(sort, func(t *testing.T) {
			t.Parallel()
			g := newGallery(t)
			h := g.service(core.NoCache{})
			var lasting []int64
			for i := range 12 {
				lasting = append(lasting, g.addProduct(t, "crane", day(1+i%2)))
			}
			person, passing := int64(0), g.addProduct(t, "crane", day(1))
			got, _ := follow(t, h, "/api/origamis?limit=2&sort="+sort, func() {
				person++
				for _, id := range lasting[person%6:] {
					call(t, h, "POST", path(id, "/vote"), g.token(person))
				}
				mustExec(t, g, `UPDATE product.products SET deleted_at = now() WHERE id = $1`, passing)
				passing = g.addProduct(t, "aardvark", time.Now())
			})
			seen := map[int64]int{}
			for _, p := range got {
				seen[p.ID]++
			}
			for _, id := range lasting {
				if seen[id] != 1 {
					t.Errorf("product %d was seen %d times", id, seen[id])
				}
			}
		})
	}
}

func TestLinkKeepsTheRequest(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	empty := call(t, h, "GET", "/api/products", "")
	if got := empty.Body.String(); got != "[]" || empty.Header().Get("Link") != "" {
		t.Errorf("empty catalogue: %s, Link %q", got, empty.Header().Get("Link"))
	}
	first := g.addProduct(t, "Crane", day(1))
	g.addProduct(t, "Frog", day(1))
	w := call(t, h, "GET", "/api/origamis?limit=1&x=a%20b", "")
	cursor := encode(`{"s":"id","i":` + strings.TrimPrefix(path(first, ""), "/api/origamis/") + `}`)
	if got, want := w.Header().Get("Link"), "</api/origamis?cursor="+cursor+`&limit=1&x=a+b>; rel="next"`; got != want {
		t.Errorf("Link %q, want %q", got, want)
	}
}
