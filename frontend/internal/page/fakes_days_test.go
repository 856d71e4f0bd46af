package page_test

import (
	"cmp"
	"net/http"
	"strings"
)

// serveRecommendation has the product of 22 November, which is today, of the 3rd
// and of a day in August.
func (w *website) serveRecommendation() {
	days := map[string]int{"2026-11-22": 0, "2026-11-03": 1, "2026-08-31": 2}
	w.recommendation.on("GET /api/origami-of-the-day", func(c *call) any {
		date := cmp.Or(c.URL.Query().Get("date"), "2026-11-22")
		product, ok := days[date]
		if !ok {
			return refuse(http.StatusNotFound, "no piece was chosen for "+date)
		}
		return w.on(date, product)
	})
	w.recommendation.on("GET /api/origami-of-the-day/archive", func(c *call) any {
		switch c.URL.Query().Get("month") {
		case "2026-11":
			c.header.Set("Link", "<"+c.URL.Path+`?month=2026-08>; rel="prev"`)
			return []any{w.on("2026-11-03", 1), w.on("2026-11-22", 0)}
		case "2026-08":
			c.next(c.URL.Path + "?month=2026-11")
			return []any{w.on("2026-08-31", 2)}
		}
		return []any{}
	})
	w.recommendation.on("GET /api/origamis/{id}/also-liked", func(c *call) any {
		also := []map[string]any{}
		for _, p := range w.products {
			if p["name"] != "Whale" && w.find(c.PathValue("id"))["id"] != p["id"] {
				also = append(also, shown(p, "reason", "in good company"))
			}
		}
		return also
	})
	w.recommendation.on("GET /api/recommendations", func(c *call) any {
		reason := "loved by many"
		if c.Header.Get("Authorization") != "" {
			reason = "chosen for you"
		}
		return []map[string]any{{"id": 2, "name": "Fox", "image_url": "/static/origami/fox.svg", "votes": 1,
			"reason": reason}}
	})
}

// shown is a product as the service shows it, with one more field.
func shown(product map[string]any, field string, value any) map[string]any {
	fields := map[string]any{field: value}
	for _, key := range []string{"id", "name", "description", "image_url", "votes"} {
		fields[key] = product[key]
	}
	return fields
}

// on is a product as the day's; the whale was deleted.
func (w *website) on(date string, product int) map[string]any {
	daily := shown(w.products[product], "date", date)
	if daily["name"] == "Whale" {
		daily["deleted"] = true
	}
	if w.products[product]["stale"] != nil {
		daily["stale"] = true
	}
	return daily
}

// serveImages has pictures of every kind that the site must or must not hand on.
func (w *website) serveImages() {
	pictures := map[string][2]string{
		"crane.svg": {"image/svg+xml", "<svg/>"},
		"heron.svg": {"image/svg+xml", "<svg>" + strings.Repeat("<g/>", 1000) + "</svg>"},
		"crane.jpg": {"image/jpeg", "\xff\xd8\xff"},
		upload + ".svg": {"image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">` +
			`<path fill="#00f" d="M0 0h9v9H0z"/></svg>`},
		noDrawing + ".svg": {"image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><g></svg>`},
		"crane.png":        {"image/png; charset=binary", "\x89PNG"},
		"page.svg":         {"text/html", "<script>alert(1)</script>"},
		"none.svg":         {"", "?"},
		"huge.png":         {"image/png", strings.Repeat("x", 2<<20+1)},
		"large.png":        {"image/png", strings.Repeat("x", 2<<20)},
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
			http.NotFound(rw, r)
		default:
			rw.Header()["Content-Type"] = []string{picture[0]}
			rw.Header().Set("Cache-Control", "no-store")
			_, _ = rw.Write([]byte(picture[1]))
		}
	})
}
