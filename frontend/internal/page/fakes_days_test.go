package page_test

import (
	"net/http"
	"strings"
)

// serveDays has the product of 22 November, which is today, of the 3rd and of a day
// in August.
func (w *website) serveDays() {
	days := map[string]int{"": 0, "2026-11-22": 0, "2026-11-03": 1, "2026-08-31": 2}
	w.recommendation.HandleFunc("GET /api/origami-of-the-day", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		date := r.URL.Query().Get("date")
		product, ok := days[date]
		if !ok {
			refuse(rw, http.StatusNotFound, "no piece was chosen for "+date)
			return
		}
		if date == "" {
			date = "2026-11-22"
		}
		reply(rw, http.StatusOK, w.on(date, product))
	})
	w.recommendation.HandleFunc("GET /api/origami-of-the-day/archive", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		path := r.URL.Path
		switch r.URL.Query().Get("month") {
		case "2026-11":
			rw.Header().Add("Link", "<"+path+`?month=2026-08>; rel="prev"`)
			reply(rw, http.StatusOK, []any{w.on("2026-11-03", 1), w.on("2026-11-22", 0)})
		case "2026-08":
			rw.Header().Add("Link", "<"+path+`?month=2026-11>; rel="next"`)
			reply(rw, http.StatusOK, []any{w.on("2026-08-31", 2)})
		default:
			reply(rw, http.StatusOK, []any{})
		}
	})
	w.recommendation.HandleFunc("GET /api/origamis/{id}/also-liked", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		also := []map[string]any{}
		for _, p := range w.products {
			if p["name"] != "Whale" && w.find(r.PathValue("id"))["id"] != p["id"] {
				also = append(also, map[string]any{"id": p["id"], "name": p["name"], "image_url": p["image_url"],
					"votes": p["votes"], "reason": "in good company"})
			}
		}
		reply(rw, http.StatusOK, also)
	})
}

// on is a product as the day's; the whale has left the gallery.
func (w *website) on(date string, product int) map[string]any {
	daily := map[string]any{"date": date}
	for _, key := range []string{"id", "name", "description", "image_url", "votes"} {
		daily[key] = w.products[product][key]
	}
	if daily["name"] == "Whale" {
		daily["deleted"] = true
	}
	return daily
}

// serveImages has pictures of every kind that the site must or must not hand on.
func (w *website) serveImages() {
	pictures := map[string][2]string{
		"crane.svg": {"image/svg+xml", "<svg/>"},
		"crane.png": {"image/png; charset=binary", "\x89PNG"},
		"page.svg":  {"text/html", "<script>alert(1)</script>"},
		"none.svg":  {"", "?"},
		"huge.png":  {"image/png", strings.Repeat("x", 1<<20+1)},
		"large.png": {"image/png", strings.Repeat("x", 1<<20)},
	}
	w.product.HandleFunc("GET /api/images/{name}", func(rw http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		picture, ok := pictures[name]
		switch {
		case name == "cut.png":
			rw.Header().Set("Content-Type", "image/png")
			rw.Header().Set("Content-Length", "1000")
			_, _ = rw.Write([]byte("half of it"))
		case name == "moved.png":
			http.Redirect(rw, r, "/api/images/crane.png", http.StatusFound)
		case !ok:
			refuse(rw, http.StatusNotFound, "no such picture")
		default:
			rw.Header()["Content-Type"] = []string{picture[0]}
			rw.Header().Set("Cache-Control", "no-store")
			_, _ = rw.Write([]byte(picture[1]))
		}
	})
}
