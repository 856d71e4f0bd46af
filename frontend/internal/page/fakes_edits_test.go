package page_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// edits is what curators did to the fake catalogue. It is guarded by website.mu.
type edits struct {
	versions map[string]int // by the product's id
	uploads  []string       // the media types of what was uploaded
	added    map[string]any // products, by the key
}

func (w *website) tag(id string) string {
	return fmt.Sprintf(`"%d-%v-a"`, w.edits.versions[id], w.find(id)["votes"])
}

// serveEdits is the catalogue's part for curators. It takes a token for a
// curator's, and keeps only those of the rules that tests break.
func (w *website) serveEdits() {
	w.edits.versions, w.edits.added = map[string]int{}, map[string]any{}
	w.product.HandleFunc("POST /api/products", w.forEditors(func(rw http.ResponseWriter, r *http.Request) {
		d, key := draft(rw, r), r.Header.Get("Idempotency-Key")
		before, _ := w.edits.added[key].(map[string]any)
		switch {
		case d == nil:
		case before == nil:
			d["id"], d["votes"] = len(w.products)+1, 0
			w.products, w.edits.added[key] = append(w.products, d), d
			reply(rw, http.StatusCreated, d)
		case before["name"] != d["name"]:
			refuse(rw, http.StatusUnprocessableEntity, "rules", map[string]string{"field": "Idempotency-Key",
				"message": "was used for another piece"})
		default:
			reply(rw, http.StatusCreated, before)
		}
	}))
	w.product.HandleFunc("PUT /api/products/{id}", w.forEditors(func(rw http.ResponseWriter, r *http.Request) {
		p := w.find(r.PathValue("id"))
		if !w.fresh(rw, r, p) {
			return
		}
		if d := draft(rw, r); d != nil {
			for key, value := range d {
				p[key] = value
			}
			w.edits.versions[r.PathValue("id")]++
			reply(rw, http.StatusOK, p)
		}
	}))
	w.product.HandleFunc("DELETE /api/products/{id}", w.forEditors(func(rw http.ResponseWriter, r *http.Request) {
		p := w.find(r.PathValue("id"))
		if w.fresh(rw, r, p) {
			p["id"] = -p["id"].(int)
			rw.WriteHeader(http.StatusNoContent)
		}
	}))
	w.product.HandleFunc("POST /api/images", w.forEditors(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.edits.uploads = append(w.edits.uploads, r.Header.Get("Content-Type"))
		if strings.Contains(string(body), "<script") {
			refuse(rw, http.StatusUnprocessableEntity, "rules", map[string]string{"field": "image",
				"message": "must not have a <script> (line 1)"})
			return
		}
		sum := sha256.Sum256(body)
		reply(rw, http.StatusCreated, map[string]string{"image_url": "/api/images/" + hex.EncodeToString(sum[:8]) + ".svg"})
	}))
}

// forEditors lets only requests with a token reach next, one at a time.
func (w *website) forEditors(next http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if r.Header.Get("Authorization") == "" || w.revoked {
			refuse(rw, http.StatusUnauthorized, "the token is not valid")
			return
		}
		next(rw, r)
	}
}

// fresh reports whether the request is meant for the product as it is; if not, it
// has refused.
func (w *website) fresh(rw http.ResponseWriter, r *http.Request, p map[string]any) bool {
	switch {
	case p == nil:
		refuse(rw, http.StatusNotFound, "no such origami")
	case r.Header.Get("If-Match") == "":
		refuse(rw, http.StatusPreconditionRequired, "send If-Match")
	case r.Header.Get("If-Match") != w.tag(r.PathValue("id")):
		refuse(rw, http.StatusPreconditionFailed, "somebody edited it")
	default:
		return true
	}
	return false
}

// draft reads one, nil if it has refused it.
func draft(rw http.ResponseWriter, r *http.Request) map[string]any {
	var d struct {
		Name, Description, Difficulty, Paper string
		ImageURL                             string `json:"image_url"`
		Folds                                int
	}
	if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
		refuse(rw, http.StatusBadRequest, err.Error())
		return nil
	}
	var broken []map[string]string
	rule := func(ok bool, field, message string) {
		if !ok {
			broken = append(broken, map[string]string{"field": field, "message": message})
		}
	}
	rule(d.Name != "" && len(d.Name) <= 100, "name", "must have 1 to 100 characters")
	rule(d.Description != "" && len(d.Description) <= 2000, "description", "must have 1 to 2000 characters")
	rule(d.Difficulty != "", "difficulty", "must be easy, intermediate or advanced")
	rule(d.Folds >= 1 && d.Folds <= 1000, "folds", "must be between 1 and "+strconv.Itoa(1000))
	rule(strings.HasPrefix(d.ImageURL, "/static/origami/") || strings.HasPrefix(d.ImageURL, "/api/images/"), "image_url",
		"must be what POST /api/images gave")
	rule(d.Paper != "odd", "moon", "is not full")
	if broken != nil {
		refuse(rw, http.StatusUnprocessableEntity, "rules", broken...)
		return nil
	}
	return map[string]any{
		"name": d.Name, "description": d.Description, "image_url": d.ImageURL, "difficulty": d.Difficulty, "folds": d.Folds,
		"paper":      d.Paper,
		"created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:00Z",
	}
}
