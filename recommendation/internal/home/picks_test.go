package home_test

import (
	"net/http"
	"testing"
	"time"

	"craftista/shared/fault"
	"craftista/shared/token"

	"github.com/google/go-cmp/cmp"
)

const (
	picksPath = "/api/recommendations"
	loved     = "Loved by people who like your picks"
	popular   = "Popular with everyone"
	waiting   = "Waiting for its first vote"
)

type pick struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url"`
	Votes       int64  `json:"votes"`
	Difficulty  string `json:"difficulty"`
	Folds       int    `json:"folds"`
	Paper       string `json:"paper"`
	CreatedAt   string `json:"created_at"`
	UpdatedAt   string `json:"updated_at"`
	Reason      string `json:"reason"`
}

// model is a pick of what fold made.
func model(id, votes int64, reason string) pick {
	return pick{
		ID: id, Name: "Model", Description: "A model.", ImageURL: "/model.svg", Votes: votes, Difficulty: "easy", Folds: 20,
		Paper: "15 cm", CreatedAt: "2026-01-02T03:04:05Z", UpdatedAt: "2026-01-02T03:04:06Z", Reason: reason,
	}
}

// tasteful is a world of eight pieces with this taste:
//
//	piece     1  2  3  4  5  6  7  8
//	person 1  ×  ×
//	2 and 3   ×  ×  ×
//	4         ×        ×  ×
//	5 to 9                ×
//	10, 11                      ×
//	12        ×  ×  ×  ×  ×  ×  ×  ×
//	votes     5  4  3  2  7  1  3  1
func tasteful(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.fold(t, 8)
	w.vote(t, 1, 1, 2)
	w.vote(t, 2, 1, 2, 3)
	w.vote(t, 3, 1, 2, 3)
	w.vote(t, 4, 1, 4, 5)
	for person := range int64(5) {
		w.vote(t, 5+person, 5)
	}
	w.vote(t, 10, 7)
	w.vote(t, 11, 7)
	w.vote(t, 12, 1, 2, 3, 4, 5, 6, 7, 8)
	return w
}

// closest are the picks of person 1, to whom 2, 3 and 12 weigh 1/√5 + 1/√4 =
// 0.947 each and 4 weighs 1/√5 = 0.447. Piece 9 is one without a vote.
func closest() []pick {
	return []pick{
		model(3, 3, loved), // 2.842/√3 = 1.641
		model(4, 2, loved), // 1.394/√2 = 0.986
		model(8, 1, loved), // 0.947/√1
		model(6, 1, loved), // 0.947/√1, a tie in votes as well
		model(7, 3, loved), // 0.947/√3 = 0.547
		model(5, 7, loved), // 1.394/√7 = 0.527: the most popular of them is not the closest
		model(9, 0, waiting),
	}
}

func mostVotes() []pick {
	return []pick{
		model(5, 7, popular), model(1, 5, popular), model(2, 4, popular), model(7, 3, popular), model(3, 3, popular),
		model(4, 2, popular), model(8, 1, popular), model(6, 1, popular), model(9, 0, waiting),
	}
}

func TestPicks(t *testing.T) {
	t.Parallel()
	w := tasteful(t)
	w.fold(t, 1) // 9, without a vote
	h := w.replica(t, time.Now)
	tests := []struct {
		name, query string
		person      int64 // 0 sends no token
		want        []pick
	}{
		{"closest first, then popular", "?limit=20", 1, closest()},
		// Only 11 and 12 share a vote, and 11 has no other: what 12 likes, the rarest first.
		{"somebody with one vote", "?limit=3", 10, []pick{model(8, 1, loved), model(6, 1, loved), model(4, 2, loved)}},
		{"popular when nobody shares a vote", "?limit=2", 99, mostVotes()[:2]},
		{"popular when anonymous", "?limit=100", 0, mostVotes()},
		{"four by default", "", 0, mostVotes()[:4]},
		{"four when empty", "?limit=", 0, mostVotes()[:4]},
		{"never what has a vote", "?limit=100", 12, []pick{model(9, 0, waiting)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var headers []string
			if tt.person != 0 {
				headers = []string{"Authorization", "Bearer " + w.issuer.Mint(tt.person, token.RoleUser)}
			}
			res := get(t, h, picksPath+tt.query, headers...)
			if diff := cmp.Diff(ok[[]pick](t, res), tt.want); diff != "" {
				t.Errorf("picks (-got +want):\n%s", diff)
			}
			wantHeaders(t, res, "Cache-Control", "private, no-cache", "Vary", "Authorization")
		})
	}
}

func TestPicksAreAnEmptyArrayWhenNothingIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res := get(t, w.replica(t, time.Now), picksPath)
	if got := res.Body.String(); res.Code != http.StatusOK || got != "[]" {
		t.Errorf("got %d %s, want 200 []", res.Code, got)
	}
}

func TestPicksFollowTheNextVote(t *testing.T) {
	t.Parallel()
	w := tasteful(t)
	h := w.replica(t, time.Now)
	bearer := "Bearer " + w.issuer.Mint(1, token.RoleUser)
	before := get(t, h, picksPath+"?limit=1", "Authorization", bearer)
	if got := ok[[]pick](t, before)[0].ID; got != 3 {
		t.Fatalf("got %d first, want 3", got)
	}
	w.vote(t, 1, 3)
	after := get(t, h, picksPath+"?limit=1", "Authorization", bearer, "If-None-Match", before.Header().Get("Etag"))
	if got := ok[[]pick](t, after)[0].ID; got == 3 {
		t.Error("a piece is recommended to somebody who voted for it")
	}
}

// TestPicksLeaveOutDeletedPieces: they are no picks, and votes for them say nothing
// about anybody's taste any more.
func TestPicksLeaveOutDeletedPieces(t *testing.T) {
	t.Parallel()
	w := tasteful(t)
	h := w.replica(t, time.Now)
	w.exec(t, `UPDATE product.products SET deleted_at = now() WHERE id IN (1, 3, 5)`)
	got := ok[[]pick](t, get(t, h, picksPath+"?limit=20", "Authorization", "Bearer "+w.issuer.Mint(1, token.RoleUser)))
	// Of what person 1 likes, 2 is left, and of those who share it only 12 likes something else.
	want := []pick{model(8, 1, loved), model(6, 1, loved), model(4, 2, loved), model(7, 3, loved)}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("picks (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(ok[[]pick](t, get(t, h, picksPath+"?limit=2")), []pick{model(2, 4, popular), model(7, 3, popular)}); diff != "" {
		t.Errorf("popular (-got +want):\n%s", diff)
	}
}

func TestPicksLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 120)
	h := w.replica(t, time.Now)
	for query, want := range map[string]int{"": 4, "?limit=1": 1, "?limit=20": 20, "?limit=100": 100} {
		if got := len(ok[[]pick](t, get(t, h, picksPath+query))); got != want {
			t.Errorf("%s: got %d picks, want %d", query, got, want)
		}
	}
	for _, bad := range []string{"0", "-1", "101", "4.5", "1e1", "four", "0x4", "%204", "99999999999999999999", "1%00"} {
		t.Run(bad, func(t *testing.T) {
			t.Parallel()
			wantProblem(t, get(t, h, picksPath+"?limit="+bad), picksPath, http.StatusUnprocessableEntity, "the request breaks a rule",
				fault.Field{Field: "limit", Message: "must be a whole number from 1 to 100"})
		})
	}
	wantProblem(t, get(t, h, picksPath+"?limit=%zz"), picksPath, http.StatusBadRequest, "the query of the URL is not well formed")
}

func TestPicksRefuseBadTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.replica(t, time.Now)
	details := map[string]string{ // of those that are not just "not valid"
		"too long": "the token is too long", "subject that is no person": "the token names nobody", "unknown role": "the token names nobody",
		"another scheme": "only bearer tokens are known here", "no scheme": "only bearer tokens are known here",
	}
	bads := map[string]string{"another scheme": "Basic eDp5", "no scheme": w.issuer.Mint(1, token.RoleUser), "empty": "Bearer "}
	for _, bad := range w.issuer.Bads() {
		bads[bad.Name] = "Bearer " + bad.Token
	}
	for name, authorization := range bads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			detail, special := details[name]
			if !special {
				detail = "the token is not valid"
			}
			res := get(t, h, picksPath, "Authorization", authorization)
			wantProblem(t, res, picksPath, http.StatusUnauthorized, detail)
			wantHeaders(t, res, "WWW-Authenticate", `Bearer error="invalid_token"`, "Vary", "Authorization")
		})
	}
}
