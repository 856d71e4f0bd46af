package page_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The failures of a fake service.
const (
	none int32 = iota
	broken
	hanging
	slow
	cutting
)

// fake is a service of ten lines a route.
type fake struct {
	*http.ServeMux
	failure atomic.Int32
	asked   atomic.Int32 // how many requests came
	server  *httptest.Server

	readiness atomic.Pointer[readiness] // nil is ready
}

// readiness is what a fake says on /readyz.
type readiness struct {
	status int
	body   any
}

func newFake(t *testing.T) *fake {
	f := &fake{ServeMux: http.NewServeMux()}
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.asked.Add(1)
		switch f.failure.Load() {
		case broken:
			http.Error(w, "pq: secret detail", http.StatusInternalServerError)
		case hanging:
			_, _ = io.Copy(io.Discard, r.Body) // only then the server notices who hangs up
			<-r.Context().Done()
		case slow:
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
			defer cancel()
			if <-ctx.Done(); r.Context().Err() == nil {
				f.ServeHTTP(w, r)
			}
		case cutting:
			panic(http.ErrAbortHandler)
		default:
			f.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(f.server.Close)
	f.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if state := f.readiness.Load(); state != nil {
			reply(w, state.status, state.body)
			return
		}
		reply(w, http.StatusOK, map[string]any{"status": "ready", "checks": map[string]string{"database": "ok"},
			"took_ms": map[string]int{"database": 3}})
	})
	f.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"version": "1.2.3"})
	})
	f.HandleFunc("GET /api/system-info", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"hostname": "host-7", "is_container": true, "is_kubernetes": true})
	})
	return f
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, detail string, fields ...map[string]string) {
	reply(w, status, map[string]any{"detail": detail, "errors": fields})
}

func (w *website) serveProduct() {
	w.product.HandleFunc("GET /api/products", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		query := r.URL.Query()
		w.listed = append(w.listed, query)
		if q := query.Get("q"); q != "" {
			w.search(rw, q)
			return
		}
		switch query.Get("cursor") {
		case "":
			rw.Header().Set("Link", `</api/products?cursor=two%3D&limit=2>; rel="next"`)
			reply(rw, http.StatusOK, w.products[:2])
		case "two=":
			reply(rw, http.StatusOK, w.products[2:])
		default:
			refuse(rw, http.StatusBadRequest, "the cursor is not one of ours")
		}
	})
	w.product.HandleFunc("GET /api/products/{id}", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if p := w.find(r.PathValue("id")); p != nil {
			rw.Header().Set("ETag", w.tag(r.PathValue("id")))
			reply(rw, http.StatusOK, p)
			return
		}
		refuse(rw, http.StatusNotFound, "no such origami")
	})
	w.serveVotes()
}

// search finds names, and a second page of what goes on.
func (w *website) search(rw http.ResponseWriter, q string) {
	found := []map[string]any{}
	for _, p := range w.products {
		if strings.Contains(strings.ToLower(p["name"].(string)), strings.ToLower(q)) {
			found = append(found, p)
		}
	}
	if q == "on" || q == "a &b" {
		rw.Header().Set("Link", `</api/products?q=…&cursor=two%3D>; rel="next"`)
		found = w.products[:2]
	}
	reply(rw, http.StatusOK, found)
}

func (w *website) serveVotes() {
	w.product.HandleFunc("GET /api/origamis/{id}/votes", func(rw http.ResponseWriter, _ *http.Request) {
		reply(rw, http.StatusOK, map[string]any{"origami_id": 1, "votes": 41})
	})
	w.product.HandleFunc("POST /api/origamis/{id}/vote", w.castVote(true))
	w.product.HandleFunc("DELETE /api/origamis/{id}/vote", w.castVote(false))
	w.product.HandleFunc("GET /api/votes/mine", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.revoked {
			refuse(rw, http.StatusUnauthorized, "the token is not valid")
			return
		}
		ids := slices.Collect(maps.Keys(w.mine))
		slices.SortFunc(ids, func(a, b int64) int { return int(b - a) }) // the latest first
		if query := r.URL.Query(); !query.Has("ids") {
			if ids = pageOfVotes(rw, ids, query.Get("cursor")); ids == nil {
				return
			}
		}
		reply(rw, http.StatusOK, map[string]any{"origami_ids": ids})
	})
}

// pageOfVotes is all but the last, and then that one; nil if it has refused.
func pageOfVotes(rw http.ResponseWriter, ids []int64, cursor string) []int64 {
	switch {
	case cursor == "" && len(ids) > 1:
		rw.Header().Set("Link", `</api/votes/mine?cursor=next%3D&limit=2>; rel="next"`)
		return ids[:len(ids)-1]
	case cursor == "next=":
		return ids[len(ids)-1:]
	case cursor != "":
		refuse(rw, http.StatusBadRequest, "the cursor is not one of ours")
		return nil
	default:
		return append([]int64{}, ids...)
	}
}

func (w *website) find(id string) map[string]any {
	for _, p := range w.products {
		if strconv.Itoa(p["id"].(int)) == id {
			return p
		}
	}
	return nil
}

func (w *website) castVote(voted bool) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		p := w.find(r.PathValue("id"))
		switch {
		case r.Header.Get("Authorization") == "" || w.revoked:
			refuse(rw, http.StatusUnauthorized, "the token is not valid")
			return
		case p == nil:
			refuse(rw, http.StatusNotFound, "no such origami")
			return
		}
		id := int64(p["id"].(int))
		if voted != w.mine[id] {
			p["votes"] = p["votes"].(int) + map[bool]int{true: 1, false: -1}[voted]
		}
		if delete(w.mine, id); voted {
			w.mine[id] = true
		}
		reply(rw, http.StatusOK, map[string]any{"origami_id": id, "new_vote_count": p["votes"], "voted": voted,
			"message": "so it is"})
	}
}

func (w *website) serveRecommendation() {
	w.recommendation.HandleFunc("GET /api/recommendations", func(rw http.ResponseWriter, r *http.Request) {
		reason := "loved by many"
		if r.Header.Get("Authorization") != "" {
			reason = "chosen for you"
		}
		reply(rw, http.StatusOK, []map[string]any{{"id": 2, "name": "Fox", "image_url": "/static/origami/fox.svg", "votes": 1,
			"reason": reason}})
	})
}
