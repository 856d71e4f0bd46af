package home_test

import (
	"net/http"
	"testing"
	"time"

	"craftista/shared/fault"

	"github.com/google/go-cmp/cmp"
)

const (
	alsoLikedPath = "/api/origamis/1/also-liked"
	together      = "Loved by people who love this one"
)

func TestAlsoLiked(t *testing.T) {
	t.Parallel()
	w := tasteful(t)
	w.fold(t, 1) // 9, without a vote
	h := w.replica(t, time.Now)
	tests := []struct {
		name, target string
		want         []pick
	}{
		{"most in common first, then popular", "/api/origamis/1/also-liked?limit=100", []pick{
			model(2, 4, together), // 4 in common: 16/7/√4 = 1.143
			model(3, 3, together), // 3: 9/6/√3 = 0.866
			model(4, 2, together), // 2: 4/5/√2 = 0.566
			model(5, 7, together), // 2: 4/5/√7 = 0.302: the most popular of them is not the closest
			model(8, 1, together), // 1: 1/4/√1 = 0.250: nor is the one whose only voter is in common
			model(6, 1, together), // 0.250, a tie in votes as well
			model(7, 3, together), // 1: 1/4/√3 = 0.144
			model(9, 0, waiting),
		}},
		{"four by default", "/api/origamis/7/also-liked", []pick{
			model(8, 1, together), model(6, 1, together), model(4, 2, together), model(3, 3, together),
		}},
		{"popular when it has no voters", "/api/origamis/9/also-liked?limit=2", mostVotes()[:2]},
		{"popular ones leave it out too", "/api/origamis/8/also-liked?limit=1", []pick{model(6, 1, together)}},
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

// The first 200 voters speak for all, so that a piece with a million costs no more.
func TestAlsoLikedGoesByTheFirstVoters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 3)
	w.exec(t, `INSERT INTO product.votes (person_id, product_id) SELECT n, 1 FROM generate_series(1, 300) AS n`)
	w.exec(t, `INSERT INTO product.votes (person_id, product_id) SELECT n, 2 FROM generate_series(101, 200) AS n`)
	w.exec(t, `INSERT INTO product.votes (person_id, product_id) SELECT n, 3 FROM generate_series(201, 300) AS n`)
	got := ok[[]pick](t, get(t, w.replica(t, time.Now), alsoLikedPath))
	if diff := cmp.Diff(got, []pick{model(2, 100, together), model(3, 100, popular)}); diff != "" {
		t.Errorf("picks (-got +want):\n%s", diff)
	}
}

func TestAlsoLikedIsAnEmptyArrayForTheOnlyPiece(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 1)
	w.vote(t, 7, 1)
	res := get(t, w.replica(t, time.Now), alsoLikedPath)
	if got := res.Body.String(); res.Code != http.StatusOK || got != "[]" {
		t.Errorf("got %d %s, want 200 []", res.Code, got)
	}
}

func TestAlsoLikedLeavesOutDeletedPieces(t *testing.T) {
	t.Parallel()
	w := tasteful(t)
	w.exec(t, `UPDATE product.products SET deleted_at = now() WHERE id IN (2, 3, 5)`)
	h := w.replica(t, time.Now)
	got := ok[[]pick](t, get(t, h, alsoLikedPath))
	if diff := cmp.Diff(got, []pick{model(4, 2, together), model(8, 1, together), model(6, 1, together), model(7, 3, together)}); diff != "" {
		t.Errorf("picks (-got +want):\n%s", diff)
	}
	path := "/api/origamis/2/also-liked"
	wantProblem(t, get(t, h, path), path, http.StatusNotFound, "no origami 2")
}

func TestAlsoLikedRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 1)
	h := w.replica(t, time.Now)
	for id, detail := range map[string]string{
		"2": "no origami 2", "0": `nothing has the id "0"`, "x": `nothing has the id "x"`, "01": `nothing has the id "01"`,
		"9223372036854775807": "no origami 9223372036854775807", "9223372036854775808": `nothing has the id "9223372036854775808"`,
	} {
		path := "/api/origamis/" + id + "/also-liked"
		wantProblem(t, get(t, h, path), path, http.StatusNotFound, detail)
	}
	for _, bad := range []string{"0", "101", "four"} {
		wantProblem(t, get(t, h, alsoLikedPath+"?limit="+bad), alsoLikedPath, http.StatusUnprocessableEntity, "the request breaks a rule",
			fault.Field{Field: "limit", Message: "must be a whole number from 1 to 100"})
	}
	wantProblem(t, get(t, h, alsoLikedPath+"?limit=%zz"), alsoLikedPath, http.StatusBadRequest, "the query of the URL is not well formed")
}
