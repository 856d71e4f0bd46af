package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"craftista/product/internal/core"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"

	"github.com/alicebob/miniredis/v2"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

func (s suite) voting(t *testing.T) {
	id := s.g.addProduct(t, "Swan", day(3))
	ann, ben := s.g.token(1), s.g.token(2)
	for i, step := range []struct {
		method, bearer string
		want           voteReply
	}{
		{"DELETE", ann, voteReply{id, 0, "vote taken back", false}},
		{"POST", ann, voteReply{id, 1, "vote recorded", true}},
		{"POST", ann, voteReply{id, 1, "vote recorded", true}},
		{"POST", ben, voteReply{id, 2, "vote recorded", true}},
		{"DELETE", ann, voteReply{id, 1, "vote taken back", false}},
		{"DELETE", ann, voteReply{id, 1, "vote taken back", false}},
		{"DELETE", ben, voteReply{id, 0, "vote taken back", false}},
	} {
		w := call(t, s.h, step.method, path(id, "/vote"), step.bearer)
		if diff := cmp.Diff(body[voteReply](t, w, 200), step.want); diff != "" {
			t.Errorf("step %d (-got +want):\n%s", i, diff)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("step %d: Cache-Control %q", i, got)
		}
		shown := body[product](t, call(t, s.h, "GET", path(id, ""), ""), 200)
		if shown.Votes != step.want.NewVoteCount || s.g.voters(t, id) != step.want.NewVoteCount {
			t.Errorf("step %d: %d shown, %d rows, want %d", i, shown.Votes, s.g.voters(t, id), step.want.NewVoteCount)
		}
	}
}

func (s suite) mine(t *testing.T) {
	a, b, c := s.g.addProduct(t, "Hare", day(4)), s.g.addProduct(t, "Fox", day(4)), s.g.addProduct(t, "Owl", day(4))
	call(t, s.h, "POST", path(c, "/vote"), s.g.token(71))
	call(t, s.h, "POST", path(a, "/vote"), s.g.token(71))
	call(t, s.h, "POST", path(b, "/vote"), s.g.token(72))
	call(t, s.h, "POST", path(c, "/vote"), s.g.token(72))
	type count struct {
		OrigamiID int64 `json:"origami_id"`
		Votes     int64 `json:"votes"`
	}
	type mine struct {
		OrigamiIDs []int64 `json:"origami_ids"`
		Counts     []count `json:"counts"`
	}
	for _, row := range []struct {
		ids    string
		want   []int64
		counts []count
	}{
		{fmt.Sprintf("%d,%d,%d", c, b, a), []int64{a, c}, []count{{a, 1}, {b, 1}, {c, 2}}},
		{fmt.Sprintf("%d,%d", b, b), []int64{}, []count{{b, 1}}},
		{fmt.Sprintf("%d,%d", c, c), []int64{c}, []count{{c, 2}}},
		{"999999", []int64{}, nil},
	} {
		w := call(t, s.h, "GET", "/api/votes/mine?ids="+row.ids, s.g.token(71))
		if diff := cmp.Diff(body[mine](t, w, 200), mine{row.want, row.counts}); diff != "" {
			t.Errorf("ids %s (-got +want):\n%s", row.ids, diff)
		}
		if got := w.Header().Get("Vary"); got != "Authorization" {
			t.Errorf("Vary %q", got)
		}
	}
}

// allOfMine walks a user's votes, some of them of the same moment.
func (s suite) allOfMine(t *testing.T) {
	var want []int64 // newest first
	for i := range 7 {
		id := s.g.addProduct(t, "Crab", day(4))
		mustExec(t, s.g, `INSERT INTO product.votes (person_id, product_id, created_at) VALUES (73, $1, $2)`, id, day(1+i/2))
		want = append([]int64{id}, want...)
	}
	call(t, s.h, "POST", path(want[3], "/vote"), s.g.token(74)) // not this user's
	page := func(target string) (ids []int64, next string) {
		w := call(t, s.h, "GET", target, s.g.token(73))
		next = strings.TrimSuffix(strings.TrimPrefix(w.Header().Get("Link"), "<"), `>; rel="next"`)
		return body[map[string][]int64](t, w, 200)["origami_ids"], next
	}
	for limit, wantPages := range map[string]int{"1": 7, "3": 3, "7": 1, "": 1} {
		var got []int64
		pages := 0
		for target := "/api/votes/mine?limit=" + limit; target != ""; pages++ {
			ids, next := page(target)
			got, target = append(got, ids...), next
		}
		if diff := cmp.Diff(got, want); diff != "" || pages != wantPages {
			t.Errorf("%d pages by %q, want %d (-got +want):\n%s", pages, limit, wantPages, diff)
		}
	}
	_, next := page("/api/votes/mine?limit=3")
	newest := s.g.addProduct(t, "Crab", day(4))
	call(t, s.h, "POST", path(newest, "/vote"), s.g.token(73))
	call(t, s.h, "DELETE", path(want[0], "/vote"), s.g.token(73))
	if got, _ := page(next); !slices.Equal(got, want[3:6]) {
		t.Errorf("the second page moved to %v, want %v", got, want[3:6])
	}
	if got, _ := page("/api/votes/mine?limit=2"); !slices.Equal(got, []int64{newest, want[1]}) {
		t.Errorf("got %v, want %v", got, []int64{newest, want[1]})
	}
}

func (s suite) badTokens(t *testing.T) {
	id := s.g.addProduct(t, "Bat", day(5))
	for _, target := range [][2]string{
		{"POST", path(id, "/vote")}, {"DELETE", path(id, "/vote")}, {"GET", "/api/votes/mine?ids=1"},
	} {
		for _, bad := range append(s.g.issuer.Bads(), tokentest.Bad{Name: "nothing"}) {
			w := call(t, s.h, target[0], target[1], bad.Token)
			challenge := `Bearer error="invalid_token"`
			if bad.Token == "" {
				challenge = "Bearer"
			}
			if w.Code != 401 || w.Header().Get("WWW-Authenticate") != challenge {
				t.Errorf("%v with %s: status %d, header %v", target, bad.Name, w.Code, w.Header())
			}
		}
	}
	if n := s.g.voters(t, id); n != 0 {
		t.Errorf("%d votes without a good token", n)
	}
}

// scopes is what OAuth clients may do for a user.
func (s suite) scopes(t *testing.T) {
	id := s.g.addProduct(t, "Jay", day(6))
	for scope, want := range map[string]struct{ write, read int }{
		"openid":                 {403, 403},
		"votes:read":             {403, 200},
		"openid votes:write":     {200, 403},
		"votes:read votes:write": {200, 200},
	} {
		app := s.g.issuer.MintWith(81, token.RoleUser, func(_ *jwt.Token, c *token.Claims) {
			c.ClientID, c.Scope = "client-a", scope
		})
		for _, target := range []struct {
			method, path string
			want         int
		}{
			{"POST", path(id, "/vote"), want.write}, {"DELETE", path(id, "/vote"), want.write},
			{"GET", "/api/votes/mine?ids=1", want.read},
		} {
			if w := call(t, s.h, target.method, target.path, app); w.Code != target.want {
				t.Errorf("%s %s with %q: %d %s, want %d", target.method, target.path, scope, w.Code, w.Body, target.want)
			}
		}
	}
}

func TestVotesAtOnce(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	for _, row := range []struct {
		name   string
		clicks int
		userID func(i int) int64
		want   int64
	}{
		{"two users", 2, func(i int) int64 { return int64(i) + 1 }, 2},
		{"forty users", 40, func(i int) int64 { return int64(i) + 1 }, 40},
		{"one user, fifty clicks", 50, func(int) int64 { return 1 }, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			id := g.addProduct(t, row.name, day(1))
			replies := make([]*httptest.ResponseRecorder, row.clicks)
			atOnce(row.clicks, func(i int) { replies[i] = call(t, h, "POST", path(id, "/vote"), g.token(row.userID(i))) })
			var last int64
			for _, w := range replies {
				got := body[voteReply](t, w, 200)
				if diff := cmp.Diff(got, voteReply{id, got.NewVoteCount, "vote recorded", true}); diff != "" {
					t.Errorf("(-got +want):\n%s", diff)
				}
				if got.NewVoteCount < 1 || got.NewVoteCount > row.want {
					t.Errorf("told %d, want 1 to %d", got.NewVoteCount, row.want)
				}
				last = max(last, got.NewVoteCount)
			}
			if last != row.want {
				t.Errorf("nobody was told more than %d, want %d", last, row.want)
			}
			shown := body[count](t, call(t, h, "GET", path(id, "/votes"), ""), 200)
			if diff := cmp.Diff(shown, count{id, row.want}); diff != "" || g.voters(t, id) != row.want {
				t.Errorf("%d rows, shown (-got +want):\n%s", g.voters(t, id), diff)
			}
		})
	}
}

func TestKeysUnavailable(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	g.issuer.Down.Store(true)
	h := g.service(core.NoCache{})
	id := g.addProduct(t, "Crane", day(1))
	w := call(t, h, "POST", path(id, "/vote"), g.token(1))
	checkProblem(t, w, 503, path(id, "/vote"))
	if w.Header().Get("Retry-After") != "1" || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("header %v", w.Header())
	}
	wantShown(t, h, id, 0, "bypass")
	for _, target := range []string{"/api/products", path(id, "/votes"), "/readyz"} {
		if w := call(t, h, "GET", target, ""); w.Code != 200 {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

// TestVotesRaceDeletion: a vote is counted before the product is deleted, or its
// voter is told that there is no such product. None is acknowledged and lost, and none comes
// after the deletion was.
func TestVotesRaceDeletion(t *testing.T) {
	t.Parallel()
	const rounds, voters = 8, 12
	g := newGallery(t)
	h := g.service(g.openCache(t, "redis://"+miniredis.RunT(t).Addr()))
	outcomes := map[int]int{}
	for range rounds {
		id := g.addProduct(t, "Mayfly", day(1))
		replies := make([]*httptest.ResponseRecorder, voters+1)
		atOnce(voters+1, func(i int) {
			if i != voters/2 {
				replies[i] = call(t, h, "POST", path(id, "/vote"), g.token(int64(i)+1))
				return
			}
			replies[i] = remove(t, h, id, g.curator())
			for _, late := range [][2]string{{"POST", path(id, "/vote")}, {"GET", path(id, "")}} {
				if w := call(t, h, late[0], late[1], g.token(99)); w.Code != http.StatusNotFound {
					t.Errorf("%s after the deletion: status %d, body %s", late[0], w.Code, w.Body)
				}
			}
		})
		codes := map[int]int{}
		for _, w := range replies {
			codes[w.Code]++
			outcomes[w.Code]++
		}
		voted, rows := int64(codes[200]), g.voters(t, id)
		counted := g.number(t, `SELECT votes FROM product.products WHERE id = $1`, id) // though it is deleted
		if codes[204] != 1 || codes[200]+codes[404] != voters || voted != rows || voted != counted {
			t.Errorf("statuses %v, %d rows, count %d", codes, rows, counted)
		}
	}
	if outcomes[200] == 0 || outcomes[404] == 0 {
		t.Errorf("statuses %v: the votes and the deletions never met", outcomes)
	}
}
