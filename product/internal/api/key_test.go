package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"craftista/product/internal/core"
	"craftista/shared/token"

	"github.com/google/go-cmp/cmp"
)

const keyHeader = "Idempotency-Key"

// named counts the products of that name, deleted ones too.
func (g *gallery) named(t *testing.T, name string) int64 {
	t.Helper()
	return g.number(t, `SELECT count(*) FROM product.products WHERE name = $1`, name)
}

// addedAgain: a user's key makes one product, whatever became of it since, and of
// each user, key and request without one another.
func (s suite) addedAgain(t *testing.T) {
	const name = "Kingfisher"
	curator, other, d := s.g.curator(), s.g.issuer.Mint(502, token.RoleAdmin), with("name", name)
	add := func(bearer, key string) *httptest.ResponseRecorder { return post(t, s.h, bearer, d, keyHeader, key) }
	w := add(curator, `"a-key"`)
	first := body[product](t, w, 201)
	for _, row := range []struct{ bearer, key string }{
		{curator, `"a-key"`}, {curator, "a-key"}, {s.g.issuer.Mint(500, token.RoleAdmin), "a-key"},
	} {
		again := add(row.bearer, row.key)
		location := again.Header().Get("Location")
		if diff := cmp.Diff(body[product](t, again, 201), first); diff != "" || location != productPath(first.ID) {
			t.Errorf("%s: Location %q (-got +want):\n%s", row.key, location, diff)
		}
	}
	edited, again := put(t, s.h, first.ID, curator, with("name", "Dipper"), "*"), add(curator, "a-key")
	diff := cmp.Diff(body[product](t, again, 201), body[product](t, edited, 200))
	if diff != "" || again.Header().Get("Etag") != edited.Header().Get("Etag") {
		t.Errorf("of an edited product (-got +want):\n%s", diff)
	}
	remove(t, s.h, first.ID, curator)
	if again := add(curator, "a-key"); body[product](t, again, 201).ID != first.ID || s.g.named(t, name) != 0 {
		t.Errorf("of a deleted product: %s", again.Body)
	}
	got := body[problem](t, post(t, s.h, curator, with("name", "Gull"), keyHeader, "a-key"), 422)
	diff = cmp.Diff(got.Errors, []field{{keyHeader, "was used for another piece"}})
	if diff != "" || s.g.named(t, "Gull") != 0 {
		t.Errorf("another product (-got +want):\n%s", diff)
	}
	for _, w := range []*httptest.ResponseRecorder{
		add(other, "a-key"), add(curator, "A-key"), add(curator, strings.Repeat("k", 100)),
		post(t, s.h, curator, d), post(t, s.h, curator, d),
	} {
		if id := body[product](t, w, 201).ID; id == first.ID {
			t.Errorf("got the first product: %s", w.Body)
		}
	}
	if got := s.g.named(t, name); got != 5 {
		t.Errorf("%d products, want 5", got)
	}
}

// badKeys: what is no key adds nothing.
func (s suite) badKeys(t *testing.T) {
	const name = "Shrike"
	for _, keys := range [][]string{
		{""}, {`""`}, {" "}, {strings.Repeat("k", 101)}, {`"` + strings.Repeat("k", 101) + `"`}, {`"a`}, {`a"`},
		{`"a"b"`}, {"a b"}, {"a\tb"}, {"clé"}, {"a\x00b"}, {`"a";p=1`}, {"a,b"}, {"a", "a"},
		{"'; DROP TABLE product.additions; --"}, {strings.Repeat("k", 10_000)},
	} {
		var headers []string
		for _, key := range keys {
			headers = append(headers, keyHeader, key)
		}
		w := post(t, s.h, s.g.curator(), with("name", name), headers...)
		want := []field{{keyHeader, "must be one key of 1 to 100 letters, digits, dots, dashes or underscores"}}
		if diff := cmp.Diff(body[problem](t, w, 422).Errors, want); diff != "" {
			t.Errorf("%.100q (-got +want):\n%s", keys, diff)
		}
	}
	if got := s.g.named(t, name); got != 0 {
		t.Errorf("%d products, want none", got)
	}
}

// TestAddingAtOnceAddsOne: all who ask with one key, through two replicas at the
// same moment, are told of the same product; a key that was refused is still good.
func TestAddingAtOnceAddsOne(t *testing.T) {
	t.Parallel()
	const rounds, clicks = 5, 8
	g := newGallery(t)
	curator := g.curator()
	replicas := []*gallery{g, {db: open(t, g.url), url: g.url, adminURL: g.adminURL, issuer: g.issuer}}
	for round := range rounds {
		key, name := "round-"+string(rune('a'+round)), "Warbler "+string(rune('a'+round))
		body[problem](t, post(t, g.service(core.NoCache{}), curator, with("name", ""), keyHeader, key), 422)
		replies := make([]*httptest.ResponseRecorder, clicks)
		atOnce(clicks, func(i int) {
			replies[i] = post(t, replicas[i%2].service(core.NoCache{}), curator, with("name", name), keyHeader, key)
		})
		first := body[product](t, replies[0], 201)
		for _, w := range replies[1:] {
			if diff := cmp.Diff(body[product](t, w, 201), first); diff != "" {
				t.Errorf("another product (-got +want):\n%s", diff)
			}
		}
		if got := g.named(t, name); got != 1 {
			t.Errorf("%d products, want 1", got)
		}
	}
}
