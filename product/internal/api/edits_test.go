package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"craftista/shared/token"

	"github.com/alicebob/miniredis/v2"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

const jsonMedia = "application/json"

// send makes a request with a body; headers are name, value, name, value. It
// never ends the test, so that any goroutine may call it.
func send(
	t *testing.T, h http.Handler, method, target, bearer, media, body string, headers ...string,
) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	r.Header.Set("Content-Type", media)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// post adds a product.
func post(t *testing.T, h http.Handler, bearer string, d draft, headers ...string) *httptest.ResponseRecorder {
	return send(t, h, "POST", "/api/products", bearer, jsonMedia, d.String(), headers...)
}

// put edits a product that has the tag.
func put(t *testing.T, h http.Handler, id int64, bearer string, d draft, tag string) *httptest.ResponseRecorder {
	return send(t, h, "PUT", productPath(id), bearer, jsonMedia, d.String(), "If-Match", tag)
}

// remove deletes a product, whatever its tag is.
func remove(t *testing.T, h http.Handler, id int64, bearer string) *httptest.ResponseRecorder {
	return send(t, h, "DELETE", productPath(id), bearer, "", "", "If-Match", "*")
}

func (g *gallery) curator() string { return g.issuer.Mint(500, token.RoleCurator) }

type draft map[string]any

// with is a good draft but for one field; nil leaves it out.
func with(field string, value any) draft {
	d := draft{
		"name": "Heron", "description": "Stands.\nWaits.", "image_url": "/static/origami/crane.svg",
		"difficulty": "advanced", "folds": 40, "paper": "20 cm square",
		"maker": "Traditional", "instructions_url": "https://example.org/heron?step=1&of=2#top",
	}
	d[field] = value
	if value == nil {
		delete(d, field)
	}
	return d
}

func (d draft) String() string {
	text, err := json.Marshal(d)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func productPath(id int64) string { return "/api/products/" + strconv.FormatInt(id, 10) }

// editing follows one product from its first day through two edits, what readers
// get all along and what the edits tell being the same.
func (s suite) editing(t *testing.T) {
	curator, began := s.g.curator(), time.Now().Add(-time.Minute)
	w := post(t, s.h, curator, with("name", `<b>Heron</b> & "Söhne"`))
	added := body[product](t, w, 201)
	want := product{
		ID: added.ID, Name: `<b>Heron</b> & "Söhne"`, Description: "Stands.\nWaits.", ImageURL: "/static/origami/crane.svg",
		Difficulty: "advanced", Folds: 40, Paper: "20 cm square", Maker: "Traditional",
		InstructionsURL: "https://example.org/heron?step=1&of=2#top",
		CreatedAt:       added.CreatedAt, UpdatedAt: added.CreatedAt,
	}
	if diff := cmp.Diff(added, want); diff != "" || added.CreatedAt.Before(began) {
		t.Errorf("added (-got +want):\n%s", diff)
	}
	if got := w.Header().Get("Location"); got != productPath(added.ID) {
		t.Errorf("Location %q", got)
	}
	tag := s.readBack(t, added, w)
	call(t, s.h, "POST", path(added.ID, "/vote"), s.g.token(1))
	for i, name := range []string{"Grey heron", "Little egret"} {
		w := put(t, s.h, added.ID, curator, with("name", name), tag)
		edited := body[product](t, w, 200)
		want.Name, want.Votes, want.UpdatedAt = name, 1, edited.UpdatedAt
		if diff := cmp.Diff(edited, want); diff != "" || !edited.UpdatedAt.After(added.UpdatedAt) {
			t.Errorf("edit %d (-got +want):\n%s", i, diff)
		}
		tag = s.readBack(t, edited, w)
	}
}

// readBack checks that a reader gets what an editor was told, and returns the tag.
func (s suite) readBack(t *testing.T, told product, teller *httptest.ResponseRecorder) string {
	t.Helper()
	w := call(t, s.h, "GET", productPath(told.ID), "")
	if diff := cmp.Diff(body[product](t, w, 200), told); diff != "" {
		t.Errorf("read (-got +told):\n%s", diff)
	}
	tag := w.Header().Get("Etag")
	if got := teller.Header().Get("Etag"); got != tag || teller.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("told ETag %s, read %s; header %v", got, tag, teller.Header())
	}
	return tag
}

// deleting: to readers and voters there is no such product; what users did stays.
func (s suite) deleting(t *testing.T) {
	id, curator := s.g.addProduct(t, "Moth", day(1)), s.g.curator()
	call(t, s.h, "POST", path(id, "/vote"), s.g.token(1))
	call(t, s.h, "GET", path(id, ""), "") // caches it
	if w := remove(t, s.h, id, curator); w.Code != 204 || w.Body.Len() != 0 {
		t.Errorf("status %d, body %s", w.Code, w.Body)
	}
	for _, gone := range [][2]string{
		{"GET", path(id, "")}, {"GET", productPath(id)}, {"GET", path(id, "/votes")}, {"POST", path(id, "/vote")},
		{"DELETE", path(id, "/vote")},
	} {
		checkProblem(t, call(t, s.h, gone[0], gone[1], curator), 404, gone[1])
	}
	checkProblem(t, put(t, s.h, id, curator, with("", nil), "*"), 404, productPath(id))
	checkProblem(t, remove(t, s.h, id, curator), 404, productPath(id))
	for _, query := range []string{"sort=id", "sort=-votes", "sort=name", "sort=-created_at", "q=moth", "q=mith"} {
		for _, p := range follow(t, s.h, "/api/products?limit=100&"+query, func() {}) {
			if p.ID == id {
				t.Errorf("still listed by %s", query)
			}
		}
	}
	mine := body[map[string][]int64](t, call(t, s.h, "GET", fmt.Sprintf("/api/votes/mine?ids=%d", id), s.g.token(1)), 200)
	if diff := cmp.Diff(mine, map[string][]int64{"origami_ids": {}}); diff != "" || s.g.voters(t, id) != 1 {
		t.Errorf("%d voters on record, mine (-got +want):\n%s", s.g.voters(t, id), diff)
	}
}

// preconditions: only the edit counts. A vote in between changes the tag and
// hinders nobody, an edit in between is not undone.
func (s suite) preconditions(t *testing.T) {
	curator := s.g.curator()
	for _, row := range []struct {
		name        string
		ifMatch     []string // %s is the tag that was read
		put, delete int
	}{
		{"the tag", []string{"%s"}, 200, 204},
		{"one of several", []string{`"x", %s ,"9-9-z"`}, 200, 204},
		{"one of several lines", []string{`"x"`, "%s"}, 200, 204},
		{"anything", []string{"*"}, 200, 204},
		{"another count of votes", []string{`"1-99-a"`}, 200, 204},
		{"another form", []string{`"1-0-zz"`}, 200, 204},
		{"nothing", nil, 428, 428},
		{"an empty list", []string{""}, 428, 428},
		{"another version", []string{`"2-0-a"`}, 412, 412},
		{"a weak tag", []string{"W/%s"}, 412, 412},
		{"no quotes", []string{"1-0-a"}, 412, 412},
		{"a version alone", []string{`"1"`}, 412, 412},
		{"a hash", []string{`"1-dGhlIHF1aWNrIGZv"`}, 412, 412},
		{"a star in quotes", []string{`"*"`}, 412, 412},
		{"a number too large", []string{`"99999999999999999999-0-a"`}, 412, 412},
		{"nonsense", []string{`'; DROP TABLE "`}, 412, 412},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			id := s.g.addProduct(t, "Ibis", day(1))
			tag := call(t, s.h, "GET", productPath(id), "").Header().Get("Etag")
			call(t, s.h, "POST", path(id, "/vote"), s.g.token(1)) // in between
			var headers []string
			for _, value := range row.ifMatch {
				headers = append(headers, "If-Match", strings.ReplaceAll(value, "%s", tag))
			}
			w := send(t, s.h, "PUT", productPath(id), curator, jsonMedia, with("name", "Stork").String(), headers...)
			if w.Code != row.put {
				t.Errorf("PUT: status %d, want %d, body %s", w.Code, row.put, w.Body)
			}
			if w.Code >= 400 {
				checkProblem(t, w, row.put, productPath(id))
			}
			id = s.g.addProduct(t, "Ibis", day(1))
			w = send(t, s.h, "DELETE", productPath(id), curator, "", "", headers...)
			if w.Code != row.delete {
				t.Errorf("DELETE: status %d, want %d, body %s", w.Code, row.delete, w.Body)
			}
			if w.Code >= 400 {
				checkProblem(t, w, row.delete, productPath(id))
			}
		})
	}
}

// editors: who may edit. The rights of an application are the scopes it was
// granted, not those of its user, and no scope is for editing.
func (s suite) editors(t *testing.T) {
	app := s.g.issuer.MintWith(500, token.RoleAdmin, func(_ *jwt.Token, c *token.Claims) {
		c.ClientID, c.Scope = "client-a", "openid votes:read votes:write"
	})
	for _, row := range []struct {
		name, bearer             string
		post, put, delete, image int
	}{
		{"nobody", "", 401, 401, 401, 401},
		{"a user", s.g.token(1), 403, 403, 403, 403},
		{"an admin's application", app, 403, 403, 403, 403},
		{"a curator", s.g.curator(), 201, 200, 204, 201},
		{"an admin", s.g.issuer.Mint(501, token.RoleAdmin), 201, 200, 204, 201},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			id := s.g.addProduct(t, "Wren", day(1))
			good := with("", nil)
			got := []int{
				post(t, s.h, row.bearer, good).Code,
				put(t, s.h, id, row.bearer, good, "*").Code,
				remove(t, s.h, id, row.bearer).Code,
				send(t, s.h, "POST", "/api/images", row.bearer, "image/svg+xml", square).Code,
			}
			if diff := cmp.Diff(got, []int{row.post, row.put, row.delete, row.image}); diff != "" {
				t.Errorf("statuses (-got +want):\n%s", diff)
			}
		})
	}
}

// TestNoEditIsLost has editors on two replicas count up in one description,
// each on top of what they read, while users vote. An edit that was lost, or
// made on top of what an editor had not seen, would leave the count short.
func TestNoEditIsLost(t *testing.T) {
	t.Parallel()
	const editors, edits = 6, 8
	g := newGallery(t)
	url := "redis://" + miniredis.RunT(t).Addr()
	replicas := []http.Handler{g.service(g.openCache(t, url)), g.service(g.openCache(t, url))}
	id, curator := g.addProduct(t, "Crane", day(1)), g.curator()
	put(t, replicas[0], id, curator, with("description", "0"), "*")
	var stale atomic.Int64
	atOnce(editors+1, func(i int) {
		h := replicas[i%2]
		if i == editors {
			for userID := range int64(30) {
				call(t, h, "POST", path(id, "/vote"), g.token(userID+1))
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
			w := put(t, h, id, curator, with("description", strconv.Itoa(n+1)), read.Header().Get("Etag"))
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
