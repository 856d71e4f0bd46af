package api_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"craftista/product/internal/core"

	"github.com/alicebob/miniredis/v2"
)

// TestNoEditIsLost has editors on two replicas count up in one description,
// each on top of what they read, while people vote. An edit that was lost, or
// made on top of what an editor had not seen, would leave the count short.
func TestNoEditIsLost(t *testing.T) {
	t.Parallel()
	const editors, edits = 6, 8
	g := newGallery(t)
	url := "redis://" + miniredis.RunT(t).Addr()
	replicas := []http.Handler{g.service(g.openCache(t, url)), g.service(g.openCache(t, url))}
	id, curator := g.piece(t, "Crane", day(1)), g.curator()
	send(t, replicas[0], "PUT", productPath(id), curator, jsonMedia, with("description", "0").String(), "If-Match", "*")
	var stale atomic.Int64
	atOnce(editors+1, func(i int) {
		h := replicas[i%2]
		if i == editors {
			for person := range int64(30) {
				call(t, h, "POST", path(id, "/vote"), g.token(person+1))
			}
			return
		}
		for done := 0; done < edits; {
			read := call(t, h, "GET", productPath(id), "")
			n, err := strconv.Atoi(body[product](t, read, 200).Description)
			if err != nil {
				t.Error(err)
				return
			}
			w := send(t, h, "PUT", productPath(id), curator, jsonMedia, with("description", strconv.Itoa(n+1)).String(), "If-Match", read.Header().Get("Etag"))
			switch w.Code {
			case http.StatusOK:
				done++
			case http.StatusPreconditionFailed:
				stale.Add(1)
			default:
				t.Errorf("status %d, body %s", w.Code, w.Body)
				return
			}
		}
	})
	for i, h := range replicas {
		got := body[product](t, call(t, h, "GET", productPath(id), ""), 200)
		if got.Description != strconv.Itoa(editors*edits) || got.Votes != 30 {
			t.Errorf("replica %d: %s edits and %d votes, want %d and 30", i, got.Description, got.Votes, editors*edits)
		}
	}
	if stale.Load() == 0 {
		t.Error("no editor was in another's way: the test tried nothing")
	}
}

// TestOfTwoEditorsOneIsHeard: same tag, same moment.
func TestOfTwoEditorsOneIsHeard(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	for range 10 {
		id := g.piece(t, "Crane", day(1))
		names, replies := []string{"Ann's", "Ben's"}, make([]*httptest.ResponseRecorder, 2)
		atOnce(2, func(i int) {
			replies[i] = send(t, h, "PUT", productPath(id), g.curator(), jsonMedia, with("name", names[i]).String(), "If-Match", `"1-0-a"`)
		})
		heard := 0
		if replies[1].Code == http.StatusOK {
			heard = 1
		}
		if replies[heard].Code != http.StatusOK || replies[1-heard].Code != http.StatusPreconditionFailed {
			t.Errorf("statuses %d and %d, want one 200 and one 412", replies[0].Code, replies[1].Code)
		}
		if got := body[product](t, call(t, h, "GET", productPath(id), ""), 200).Name; got != names[heard] {
			t.Errorf("name %q, want %q", got, names[heard])
		}
	}
}

// TestVotesRaceDeletion: a vote is counted before the piece goes, or its voter is
// told that there is no such piece. None is acknowledged and lost, and none comes
// after the deletion was.
func TestVotesRaceDeletion(t *testing.T) {
	t.Parallel()
	const rounds, voters = 8, 12
	g := newGallery(t)
	h := g.service(g.openCache(t, "redis://"+miniredis.RunT(t).Addr()))
	outcomes := map[int]int{}
	for range rounds {
		id := g.piece(t, "Mayfly", day(1))
		replies := make([]*httptest.ResponseRecorder, voters+1)
		atOnce(voters+1, func(i int) {
			if i != voters/2 {
				replies[i] = call(t, h, "POST", path(id, "/vote"), g.token(int64(i)+1))
				return
			}
			replies[i] = call(t, h, "DELETE", productPath(id), g.curator())
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
		if codes[204] != 1 || codes[200]+codes[404] != voters || int64(codes[200]) != g.voters(t, id) || int64(codes[200]) != g.counted(t, id) {
			t.Errorf("statuses %v, %d rows, count %d", codes, g.voters(t, id), g.counted(t, id))
		}
	}
	if outcomes[200] == 0 || outcomes[404] == 0 {
		t.Errorf("statuses %v: the votes and the deletions never met", outcomes)
	}
}

// counted is the count of a piece, deleted or not.
func (g *gallery) counted(t *testing.T, id int64) int64 {
	t.Helper()
	const query = `
		SELECT votes
		  FROM product.products
		 WHERE id = $1`
	var n int64
	if err := g.db.GetContext(t.Context(), &n, query, id); err != nil {
		t.Fatal(err)
	}
	return n
}
