package api_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"craftista/product/redistest"
	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

type act struct {
	OrigamiID int64     `json:"origami_id"`
	Name      string    `json:"name"`
	At        time.Time `json:"at"`
}

type personData struct {
	Votes, Added []act
}

// forgotten has a person whose votes, one of them for a deleted piece, are told, and then taken back.
func (s suite) forgotten(t *testing.T) {
	const me = 91
	voted, deleted := s.g.addProduct(t, "Owl", day(5)), s.g.addProduct(t, "Moth", day(5))
	added := s.g.addProduct(t, "Ant", day(5))
	const vote = `INSERT INTO product.votes (person_id, product_id, created_at) VALUES ($1, $2, $3)`
	for i, id := range []int64{voted, deleted} {
		mustExec(t, s.g, vote, me, id, day(1+i))
	}
	call(t, s.h, "POST", path(voted, "/vote"), s.g.token(92))
	mustExec(t, s.g, `UPDATE product.products SET deleted_at = now() WHERE id = $1`, deleted)
	mustExec(t, s.g, `INSERT INTO product.additions (person_id, key, draft, product_id) VALUES ($1, 'k', sha256('x'), $2)`,
		me, added)
	got := body[personData](t, call(t, s.h, "GET", "/api/me", s.g.token(me)), 200)
	if len(got.Added) == 1 {
		got.Added[0].At = time.Time{}
	}
	want := personData{
		Votes: []act{{deleted, "Moth", day(2)}, {voted, "Owl", day(1)}}, Added: []act{{OrigamiID: added, Name: "Ant"}},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("what is stored (-got +want):\n%s", diff)
	}
	for range 2 {
		w := call(t, s.h, "DELETE", "/api/me", s.g.token(me))
		if w.Code != http.StatusNoContent || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("forget: %d %s", w.Code, w.Body)
		}
	}
	if n := s.g.number(t, `SELECT count(*) FROM product.votes WHERE person_id = $1`, me); n != 0 {
		t.Errorf("%d votes are left", n)
	}
	counts := `SELECT votes FROM product.products WHERE id = $1`
	if v, d := s.g.number(t, counts, voted), s.g.number(t, counts, deleted); v != 1 || d != 0 {
		t.Errorf("counts are %d and %d, want 1 and 0", v, d)
	}
	application := s.g.issuer.MintWith(me, token.RoleUser, func(_ *jwt.Token, c *token.Claims) {
		c.ClientID, c.Scope = "client-a", "votes:read votes:write"
	})
	for _, token := range []string{"", application} {
		w := call(t, s.h, "DELETE", "/api/me", token)
		if w.Code != http.StatusUnauthorized && w.Code != http.StatusForbidden {
			t.Errorf("an application forgets: %d", w.Code)
		}
	}
}

// TestForgettingKeepsCountsExact has people vote for the same pieces while others are forgotten, with cached counts: in
// the end each count is that of its rows, and cached nowhere older.
func TestForgettingKeepsCountsExact(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(g.openCache(t, redistest.Start(t).URL()))
	var ids []int64
	for range 6 {
		ids = append(ids, g.addProduct(t, "Crane", day(1)))
	}
	const people = 8
	var all sync.WaitGroup
	for person := int64(1); person <= people; person++ {
		all.Go(func() {
			for round := range 3 {
				for _, id := range ids {
					acknowledged(t, h, "POST", path(id, "/vote"), g.token(person), http.StatusOK)
					call(t, h, "GET", path(id, ""), "")
				}
				if person%2 == 0 || round < 2 {
					acknowledged(t, h, "DELETE", "/api/me", g.token(person), http.StatusNoContent)
				}
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		got := body[product](t, call(t, h, "GET", path(id, ""), ""), 200).Votes
		if rows := g.voters(t, id); got != people/2 || rows != people/2 {
			t.Errorf("product %d shows %d votes and has %d, want %d", id, got, rows, people/2)
		}
	}
}

// acknowledged asks until that is acknowledged, as auth does: among many at once one may be told to try again.
func acknowledged(t *testing.T, h http.Handler, method, target, token string, want int) {
	t.Helper()
	for {
		w := call(t, h, method, target, token)
		if w.Code == want {
			return
		}
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
			return
		}
	}
}
