package api_test

import (
	"net/http"
	"testing"
	"time"

	"craftista/shared/token"

	"github.com/google/go-cmp/cmp"
)

const (
	picksPath     = "/api/recommendations"
	alsoLikedPath = "/api/origamis/1/also-liked"
	loved         = "Because you liked Model"
	popular       = "Popular with everyone"
	together      = "Loved by people who love this one"
	waiting       = "Waiting for its first vote"
)

type pick struct {
	Product
	Difficulty string `json:"difficulty"`
	Folds      int    `json:"folds"`
	Paper      string `json:"paper"`
	CreatedAt  string `json:"created_at"`
	UpdatedAt  string `json:"updated_at"`
	Reason     string `json:"reason"`
}

// pickOf is a pick of a product that addProducts made.
func pickOf(id, votes int64, reason string) pick {
	return pick{productOf(id, votes), "easy", 20, "15 cm", "2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z", reason}
}

// withVotes is a fixture of eight products with these votes:
//
//	product   1  2  3  4  5  6  7  8
//	person 1  ×  ×
//	2 and 3   ×  ×  ×
//	4         ×        ×  ×
//	5 to 9                ×
//	10, 11                      ×
//	12        ×  ×  ×  ×  ×  ×  ×  ×
//	votes     5  4  3  2  7  1  3  1
func withVotes(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.addProducts(t, 8)
	f.vote(t, 1, 1, 2)
	f.vote(t, 2, 1, 2, 3)
	f.vote(t, 3, 1, 2, 3)
	f.vote(t, 4, 1, 4, 5)
	for person := range int64(5) {
		f.vote(t, 5+person, 5)
	}
	f.vote(t, 10, 7)
	f.vote(t, 11, 7)
	f.vote(t, 12, 1, 2, 3, 4, 5, 6, 7, 8)
	return f
}

// closest are the picks of person 1, whose latest vote is for 2: it weighs 1/4^0.3 = 0.660, and 1 weighs
// 0.97/5^0.3 = 0.599. So 2, 3 and 12 weigh 1.258 each and 4 weighs 0.599, over the roots of their votes: 0.726 for 2
// and 3, 0.445 for 12, 0.346 for 4. A sum s counts s²/(s + 0.3). Product 9 has no vote.
func closest() []pick {
	return []pick{
		pickOf(3, 3, loved), // of 1.898: 1.639/√3 = 0.946
		pickOf(4, 2, loved), // of 0.790: 0.573/√2 = 0.405
		pickOf(8, 1, loved), // of 0.445: 0.266/√1
		pickOf(6, 1, loved), // 0.266, a tie in votes as well
		pickOf(5, 7, loved), // 0.573/√7 = 0.217: the most popular of them is not the closest
		pickOf(7, 3, loved), // 0.266/√3 = 0.153
		pickOf(9, 0, waiting),
	}
}

func mostVotes() []pick {
	return []pick{
		pickOf(5, 7, popular), pickOf(1, 5, popular), pickOf(2, 4, popular), pickOf(7, 3, popular), pickOf(3, 3, popular),
		pickOf(4, 2, popular), pickOf(8, 1, popular), pickOf(6, 1, popular), pickOf(9, 0, waiting),
	}
}

func TestPicks(t *testing.T) {
	t.Parallel()
	f := withVotes(t)
	f.addProducts(t, 1) // 9, without a vote
	h := f.replica(t, time.Now)
	tests := []struct {
		name, query string
		person      int64 // 0 sends no token
		want        []pick
	}{
		{"closest first, then popular", "?limit=20", 1, closest()},
		// Only 11 and 12 share a vote, and 11 has no other: what 12 likes, the rarest first.
		{"somebody with one vote", "?limit=3", 10, []pick{pickOf(8, 1, loved), pickOf(6, 1, loved), pickOf(4, 2, loved)}},
		{"popular when nobody shares a vote", "?limit=2", 99, mostVotes()[:2]},
		{"popular when anonymous", "?limit=100", 0, mostVotes()},
		{"four by default", "", 0, mostVotes()[:4]},
		{"four when empty", "?limit=", 0, mostVotes()[:4]},
		{"never what has a vote", "?limit=100", 12, []pick{pickOf(9, 0, waiting)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var headers []string
			if tt.person != 0 {
				headers = []string{"Authorization", "Bearer " + f.issuer.Mint(tt.person, token.RoleUser)}
			}
			res := get(t, h, picksPath+tt.query, headers...)
			if diff := cmp.Diff(ok[[]pick](t, res), tt.want); diff != "" {
				t.Errorf("picks (-got +want):\n%s", diff)
			}
			wantHeaders(t, res, "Cache-Control", "private, no-cache", "Vary", "Authorization")
		})
	}
}

func TestNoPicksAreAnEmptyArray(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 1)
	f.vote(t, 7, 1)
	h := f.replica(t, time.Now)
	bearer := "Bearer " + f.issuer.Mint(7, token.RoleUser)
	for _, path := range []string{picksPath, alsoLikedPath} {
		res := get(t, h, path, "Authorization", bearer)
		if got := res.Body.String(); res.Code != http.StatusOK || got != "[]" {
			t.Errorf("%s: got %d %s, want 200 []", path, res.Code, got)
		}
	}
}

func TestPicksFollowTheNextVote(t *testing.T) {
	t.Parallel()
	f := withVotes(t)
	h := f.replica(t, time.Now)
	bearer := "Bearer " + f.issuer.Mint(1, token.RoleUser)
	before := get(t, h, picksPath+"?limit=1", "Authorization", bearer)
	if got := ok[[]pick](t, before)[0].ID; got != 3 {
		t.Fatalf("got %d first, want 3", got)
	}
	f.vote(t, 1, 3)
	after := get(t, h, picksPath+"?limit=1", "Authorization", bearer, "If-None-Match", before.Header().Get("Etag"))
	if got := ok[[]pick](t, after)[0].ID; got == 3 {
		t.Error("a product is recommended to somebody who voted for it")
	}
}

// The reason is the vote that added most: of 3 and 8 that for 2, whose voters are the same and fewer, and of 4 that
// for 1, for which more of its voters voted.
func TestPicksTellTheVoteThatAddedMost(t *testing.T) {
	t.Parallel()
	f := withVotes(t)
	f.exec(t, `UPDATE product.products SET name = CASE id WHEN 1 THEN 'Paper crane' ELSE 'Fox' END WHERE id < 3`)
	got := map[int64]string{}
	bearer := "Bearer " + f.issuer.Mint(1, token.RoleUser)
	for _, p := range ok[[]pick](t, get(t, f.replica(t, time.Now), picksPath+"?limit=3", "Authorization", bearer)) {
		got[p.ID] = p.Reason
	}
	const fox, crane = "Because you liked Fox", "Because you liked Paper crane"
	want := map[int64]string{3: fox, 4: crane, 8: fox}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("reasons (-got +want):\n%s", diff)
	}
}

// Newer votes weigh more: whoever voted last for what 2 voted for gets the picks of 2 first.
func TestPicksFollowNewerVotes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 4)
	f.vote(t, 2, 1, 3)
	f.vote(t, 3, 2, 4)
	f.vote(t, 10, 1, 2)
	f.vote(t, 11, 2, 1)
	h := f.replica(t, time.Now)
	for person, want := range map[int64]int64{10: 4, 11: 3} {
		res := get(t, h, picksPath+"?limit=1", "Authorization", "Bearer "+f.issuer.Mint(person, token.RoleUser))
		if got := ok[[]pick](t, res)[0].ID; got != want {
			t.Errorf("person %d: got %d first, want %d", person, got, want)
		}
	}
}

// Of four picks one is of a maker and three of a difficulty, as long as there are others.
func TestPicksAreVaried(t *testing.T) {
	t.Parallel()
	f := withVotes(t)
	h := f.replica(t, time.Now)
	bearer := "Bearer " + f.issuer.Mint(1, token.RoleUser)
	for _, tt := range []struct {
		name, change string
		want         []int64 // of 3, 4, 8, 6, 5, 7, the closest first
	}{
		{"makers", `UPDATE product.products SET maker = 'Akira' WHERE id IN (3, 4, 8)`, []int64{3, 6, 5, 7}},
		{"all of one maker", `UPDATE product.products SET maker = 'Akira'`, []int64{3, 4, 8, 6}},
		{"difficulties", `UPDATE product.products SET maker = '', difficulty = 'advanced' WHERE id <> 7`,
			[]int64{3, 4, 8, 7}},
	} {
		f.exec(t, tt.change)
		var got []int64
		for _, p := range ok[[]pick](t, get(t, h, picksPath, "Authorization", bearer)) {
			got = append(got, p.ID)
		}
		if diff := cmp.Diff(got, tt.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", tt.name, diff)
		}
	}
}

// One of four or more is new and has less than ten votes, and people get different ones.
func TestPicksShowWhatIsNew(t *testing.T) {
	t.Parallel()
	f := withVotes(t)
	f.addProducts(t, 4)
	f.exec(t, `UPDATE product.products SET created_at = now() WHERE id > 8`)
	for person := range int64(10) {
		f.vote(t, 50+person, 9) // which is new, but not little voted any more
	}
	f.vote(t, 1, 10)
	h := f.replica(t, time.Now)
	shown := map[int64]bool{}
	for person := range int64(20) {
		bearer := "Bearer " + f.issuer.Mint(1+99*person, token.RoleUser)
		picks := ok[[]pick](t, get(t, h, picksPath, "Authorization", bearer))
		last := picks[len(picks)-1]
		if len(picks) != 4 || last.ID < 10 || person == 0 && last.ID == 10 || last.Reason != "New in the gallery" {
			t.Errorf("person %d: got %d %q as the last of %d", 1+99*person, last.ID, last.Reason, len(picks))
		}
		shown[last.ID] = true
		few := ok[[]pick](t, get(t, h, picksPath+"?limit=3", "Authorization", bearer))
		if few[2].Reason == "New in the gallery" {
			t.Errorf("person %d: one of three is new", 1+99*person)
		}
	}
	if len(shown) < 2 {
		t.Errorf("everybody gets the same new one: %v", shown)
	}
}

// Deleted products are no picks, and votes for them no longer count.
func TestPicksLeaveOutDeletedProducts(t *testing.T) {
	t.Parallel()
	f := withVotes(t)
	h := f.replica(t, time.Now)
	f.exec(t, `UPDATE product.products SET deleted_at = now() WHERE id IN (1, 3, 5)`)
	got := ok[[]pick](t, get(t, h, picksPath+"?limit=20", "Authorization", "Bearer "+f.issuer.Mint(1, token.RoleUser)))
	// Of what person 1 likes, 2 is left, and of those who share it only 12 likes something else.
	want := []pick{pickOf(8, 1, loved), pickOf(6, 1, loved), pickOf(4, 2, loved), pickOf(7, 3, loved)}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("picks (-got +want):\n%s", diff)
	}
	want = []pick{pickOf(2, 4, popular), pickOf(7, 3, popular)}
	if diff := cmp.Diff(ok[[]pick](t, get(t, h, picksPath+"?limit=2")), want); diff != "" {
		t.Errorf("popular (-got +want):\n%s", diff)
	}
}

func TestPicksRefuseBadTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	h := f.replica(t, time.Now)
	for _, bad := range f.issuer.Bads() {
		res := get(t, h, picksPath, "Authorization", "Bearer "+bad.Token)
		if res.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", bad.Name, res.Code)
		}
	}
	for authorization, want := range map[string][2]string{
		"Bearer " + f.issuer.Bads()[0].Token: {"the token is not valid", `Bearer error="invalid_token"`},
		"Basic eDp5":                         {"only bearer tokens are known here", "Bearer"},
	} {
		res := get(t, h, picksPath, "Authorization", authorization)
		wantProblem(t, res, picksPath, http.StatusUnauthorized, want[0])
		wantHeaders(t, res, "WWW-Authenticate", want[1], "Vary", "Authorization")
	}
}

func TestAlsoLiked(t *testing.T) {
	t.Parallel()
	f := withVotes(t)
	f.addProducts(t, 1) // 9, without a vote
	h := f.replica(t, time.Now)
	tests := []struct {
		name, target string
		want         []pick
	}{
		{"most in common first, then popular", "/api/origamis/1/also-liked?limit=100", []pick{
			// Its voters weigh 5^-0.3 = 0.617 over the roots of their votes. A sum s counts s²/(s + 0.3).
			pickOf(2, 4, together), // of 0.617 (1/√2 + 2/√3 + 1/√8) = 1.367: 1.121/√4 = 0.560
			pickOf(3, 3, together), // of 0.931: 0.704/√3 = 0.406
			pickOf(4, 2, together), // of 0.574: 0.377/√2 = 0.267
			pickOf(5, 7, together), // 0.377/√7 = 0.143: the most popular of them is not the closest
			pickOf(8, 1, together), // of 0.218: 0.092/√1: nor is the one whose only voter is in common
			pickOf(6, 1, together), // 0.092, a tie in votes as well
			pickOf(7, 3, together), // 0.092/√3 = 0.053
			pickOf(9, 0, waiting),
		}},
		{"four by default", "/api/origamis/7/also-liked", []pick{
			pickOf(8, 1, together), pickOf(6, 1, together), pickOf(4, 2, together), pickOf(3, 3, together),
		}},
		{"popular when it has no voters", "/api/origamis/9/also-liked?limit=2", mostVotes()[:2]},
		{"popular ones leave it out too", "/api/origamis/8/also-liked?limit=1", []pick{pickOf(6, 1, together)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := get(t, h, tt.target)
			if diff := cmp.Diff(ok[[]pick](t, res), tt.want); diff != "" {
				t.Errorf("picks (-got +want):\n%s", diff)
			}
			wantHeaders(t, res, "Cache-Control", "public, max-age=60", "Vary", "")
		})
	}
}

// Only the first 150 voters count, so that a product with a million costs no more.
func TestAlsoLikedGoesByTheFirstVoters(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 3)
	f.exec(t, `INSERT INTO product.votes (person_id, product_id) SELECT n, 1 FROM generate_series(1, 300) AS n`)
	f.exec(t, `INSERT INTO product.votes (person_id, product_id) SELECT n, 2 FROM generate_series(101, 200) AS n`)
	f.exec(t, `INSERT INTO product.votes (person_id, product_id) SELECT n, 3 FROM generate_series(201, 300) AS n`)
	got := ok[[]pick](t, get(t, f.replica(t, time.Now), alsoLikedPath))
	if diff := cmp.Diff(got, []pick{pickOf(2, 100, together), pickOf(3, 100, popular)}); diff != "" {
		t.Errorf("picks (-got +want):\n%s", diff)
	}
}

func TestAlsoLikedLeavesOutDeletedProducts(t *testing.T) {
	t.Parallel()
	f := withVotes(t)
	f.exec(t, `UPDATE product.products SET deleted_at = now() WHERE id IN (2, 3, 5)`)
	h := f.replica(t, time.Now)
	got := ok[[]pick](t, get(t, h, alsoLikedPath))
	want := []pick{pickOf(4, 2, together), pickOf(8, 1, together), pickOf(6, 1, together), pickOf(7, 3, together)}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("picks (-got +want):\n%s", diff)
	}
	for id, detail := range map[string]string{
		"2": "no origami 2", "9223372036854775807": "no origami 9223372036854775807", "x": `nothing has the id "x"`,
	} {
		path := "/api/origamis/" + id + "/also-liked"
		wantProblem(t, get(t, h, path), path, http.StatusNotFound, detail)
	}
}

func TestPicksWithoutAuth(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 1)
	f.issuer.Down.Store(true)
	h := f.replica(t, time.Now)
	res := get(t, h, picksPath, "Authorization", "Bearer "+f.issuer.Mint(1, token.RoleUser))
	wantProblem(t, res, picksPath, http.StatusServiceUnavailable,
		"tokens cannot be checked right now, auth is not responding")
	wantHeaders(t, res, "Retry-After", "1")
	if diff := cmp.Diff(ok[[]pick](t, get(t, h, picksPath)), []pick{pickOf(1, 0, waiting)}); diff != "" {
		t.Errorf("anonymous picks (-got +want):\n%s", diff)
	}
	wantState(t, h, "/readyz", http.StatusOK, state{Status: "ready", Checks: map[string]string{"database": "ok"}})
}
