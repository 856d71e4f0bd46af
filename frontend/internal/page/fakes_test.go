package page_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"craftista/shared/build"
)

// The failures of a fake service.
const (
	none int32 = iota
	broken
	hanging
	slow
	cutting
	endless
	trickling
)

// fake is a service of ten lines a route.
type fake struct {
	*http.ServeMux
	website *website
	failure atomic.Int32
	asked   atomic.Int32 // how many requests came
	server  *server
	ready   any // what it says on /readyz
}

// call is a request to a fake.
type call struct {
	*http.Request
	body   []byte
	in     map[string]any // the body, if it is JSON
	header http.Header    // of the answer
}

// reply is an answer with another status than 200.
type reply struct {
	status int
	body   any
}

// refuse is a problem; broken are pairs of fields and messages.
func refuse(status int, detail string, broken ...string) reply {
	fields := []map[string]string{}
	for pair := range slices.Chunk(broken, 2) {
		fields = append(fields, map[string]string{"field": pair[0], "message": pair[1]})
	}
	return reply{status, map[string]any{"detail": detail, "errors": fields}}
}

func (w *website) newFake() *fake {
	f := &fake{ServeMux: http.NewServeMux(), website: w}
	f.server = w.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		case endless:
			for _, err := io.Copy(io.Discard, r.Body); err == nil; {
				_, err = w.Write(bytes.Repeat([]byte(" "), 64<<10))
			}
		case trickling:
			_, _ = io.Copy(io.Discard, r.Body)
			for err := error(nil); err == nil; time.Sleep(10 * time.Millisecond) { //nolint:forbidigo // that is slow
				_, _ = w.Write([]byte(" "))
				err = cmp.Or(http.NewResponseController(w).Flush(), r.Context().Err())
			}
		default:
			f.ServeHTTP(w, r)
		}
	}))
	f.ready = map[string]any{"status": "ready", "checks": map[string]string{"database": "ok"},
		"took_ms": map[string]int{"database": 3}}
	f.on("GET /readyz", func(*call) any { return f.ready })
	made := build.Info{Version: "1.2.3", Commit: "1a2b3c4d5e", BuiltAt: "2026-11-29T12:00:00Z"}
	f.on("GET /health", always(made))
	f.on("GET /api/system-info",
		always(map[string]any{"hostname": "host-7", "is_container": true, "is_kubernetes": true}))
	return f
}

// on answers the route with the JSON of what answer returns, nil being 204. It
// makes one call at a time.
func (f *fake) on(route string, answer func(*call) any) {
	f.HandleFunc(route, func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c := &call{Request: r, body: body, header: rw.Header()}
		_ = json.Unmarshal(body, &c.in)
		f.website.mu.Lock()
		defer f.website.mu.Unlock()
		got := answer(c)
		if got == nil {
			rw.WriteHeader(http.StatusNoContent)
			return
		}
		out, ok := got.(reply)
		if !ok {
			out = reply{http.StatusOK, got}
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(out.status)
		_ = json.NewEncoder(rw).Encode(out.body)
	})
}

// onBearer is on for a route that needs a token. It takes each for a good one,
// until they are revoked.
func (f *fake) onBearer(route string, answer func(*call) any) {
	f.on(route, func(c *call) any {
		if f.website.revoked || !strings.HasPrefix(c.Header.Get("Authorization"), "Bearer ey") {
			return refuse(http.StatusUnauthorized, "the token is not valid")
		}
		return answer(c)
	})
}

func always(v any) func(*call) any { return func(*call) any { return v } }

// next says that there is a next page.
func (c *call) next(link string) {
	c.header.Set("Link", "<"+link+`>; rel="next"`)
}

func (w *website) serveProduct() {
	w.product.on("GET /api/products", func(c *call) any {
		query := c.URL.Query()
		w.listed = append(w.listed, query)
		if q := query.Get("q"); q != "" || query.Get("difficulty") != "" {
			return w.search(c, q, query.Get("difficulty"))
		}
		switch query.Get("cursor") {
		case "":
			c.next("/api/products?cursor=two%3D&limit=2")
			return w.products[:2]
		case "two=":
			return w.products[2:]
		}
		return refuse(http.StatusBadRequest, "the cursor is not one of ours")
	})
	w.product.on("GET /api/products/{id}", func(c *call) any {
		if p := w.find(c.PathValue("id")); p != nil {
			c.header.Set("ETag", w.tag(c.PathValue("id")))
			return p
		}
		return refuse(http.StatusNotFound, "no such origami")
	})
	w.product.on("GET /api/origamis/{id}/votes", always(map[string]any{"origami_id": 1, "votes": 41}))
	w.product.onBearer("POST /api/origamis/{id}/vote", w.castVote(true))
	w.product.onBearer("DELETE /api/origamis/{id}/vote", w.castVote(false))
	w.product.onBearer("GET /api/votes/mine", w.myVotes)
}

// search finds names, and a second page of what goes on.
func (w *website) search(c *call, q, difficulty string) any {
	if q == "on" || q == "a &b" {
		c.next("/api/products?q=…&cursor=two%3D")
		return w.products[:2]
	}
	found := []map[string]any{}
	for _, p := range w.products {
		if strings.Contains(strings.ToLower(p["name"].(string)), strings.ToLower(q)) &&
			(difficulty == "" || p["difficulty"] == difficulty) {
			found = append(found, p)
		}
	}
	return found
}

// myVotes gives all but the first vote, the latest first, and then that one; or
// all of them to those who ask with ids.
func (w *website) myVotes(c *call) any {
	ids := slices.Sorted(maps.Keys(w.mine))
	slices.Reverse(ids)
	query, last := c.URL.Query(), max(len(ids)-1, 0)
	switch cursor := query.Get("cursor"); {
	case query.Has("ids"):
	case cursor == "next=":
		ids = ids[last:]
	case cursor != "":
		return refuse(http.StatusBadRequest, "the cursor is not one of ours")
	case last > 0:
		c.next("/api/votes/mine?cursor=next%3D&limit=2")
		ids = ids[:last]
	}
	counts := []map[string]any{}
	for id := range strings.SplitSeq(c.URL.Query().Get("ids"), ",") {
		if p := w.find(id); p != nil {
			counts = append(counts, map[string]any{"origami_id": p["id"], "votes": p["votes"]})
		}
	}
	return map[string]any{"origami_ids": slices.Concat([]int64{}, ids), "counts": counts}
}

// withID is the one of all with the id, nil if there is none.
func withID(all []map[string]any, id string) map[string]any {
	for _, one := range all {
		if strconv.Itoa(one["id"].(int)) == id {
			return one
		}
	}
	return nil
}

func (w *website) find(id string) map[string]any { return withID(w.products, id) }

func (w *website) castVote(voted bool) func(*call) any {
	return func(c *call) any {
		p := w.find(c.PathValue("id"))
		if p == nil {
			return refuse(http.StatusNotFound, "no such origami")
		}
		id := int64(p["id"].(int))
		if voted != w.mine[id] {
			p["votes"] = p["votes"].(int) + map[bool]int{true: 1, false: -1}[voted]
		}
		if delete(w.mine, id); voted {
			w.mine[id] = true
		}
		return map[string]any{"origami_id": id, "new_vote_count": p["votes"], "voted": voted, "message": "so it is"}
	}
}
