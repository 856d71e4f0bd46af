package page_test

import (
	"net/http"
	"strings"
	"testing"
)

// says is a service's answer on /readyz about what it checks.
func says(status int, checks map[string]string) reply {
	return reply{status, map[string]any{"status": "so", "checks": checks, "took_ms": map[string]int{"database": 12,
		"cache": 2}}}
}

// states are the boxes with their states, and the lines.
func states(a answer) map[string]string {
	got := map[string]string{"summary": text(a.id("summary"))}
	for _, id := range []string{"browser", "frontend", "auth", "recommendation", "product", "postgres", "redis"} {
		if box := a.id("box-" + id); box != nil {
			_, state, _ := strings.Cut(attr(box, "class"), "box-")
			got[id] = state
		}
	}
	return got
}

func TestThePictureShowsWhatIsTheMatter(t *testing.T) {
	t.Parallel()
	const fine, gone = http.StatusOK, http.StatusServiceUnavailable
	none, down := map[string]string{"database": "ok"}, map[string]string{"database": "down"}
	for name, row := range map[string]struct {
		auth, recommendation, product reply
		want                          map[string]string
	}{
		"all is well": {
			says(fine, none), says(fine, none), says(fine, map[string]string{"database": "ok", "cache": "ok"}),
			map[string]string{"auth": "up", "recommendation": "up", "product": "up", "postgres": "up", "redis": "up",
				"summary": "All services are up."},
		},
		"the cache is gone": {
			says(fine, none), says(fine, none), says(fine, map[string]string{"database": "ok", "cache": "degraded"}),
			map[string]string{
				"auth": "up", "recommendation": "up", "product": "degraded", "postgres": "up", "redis": "down",
				"summary": "Redis: down. Catalogue: degraded.",
			},
		},
		"the database is gone": {
			says(gone, down), says(gone, down), says(gone, map[string]string{"database": "down", "cache": "ok"}),
			map[string]string{
				"auth": "degraded", "recommendation": "degraded", "product": "degraded", "postgres": "down", "redis": "up",
				"summary": "PostgreSQL: down. Authentication, Recommendation, Catalogue: degraded.",
			},
		},
		"one does not get through": {
			says(gone, down), says(fine, none), says(fine, none),
			map[string]string{
				"auth": "degraded", "recommendation": "up", "product": "up", "postgres": "degraded", "redis": "unknown",
				"summary": "Authentication, PostgreSQL: degraded.",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := startWebsite(t)
			w.auth.ready, w.recommendation.ready, w.product.ready = row.auth, row.recommendation, row.product
			a := w.get("/status")
			row.want["browser"], row.want["frontend"] = "up", "up"
			a.check(t, "the page", 200, states(a), row.want)
		})
	}
}

func TestThePictureHasFactsAndLines(t *testing.T) {
	w := startWebsite(t)
	w.product.ready = says(http.StatusOK, map[string]string{"database": "ok", "cache": "degraded"})
	a := w.get("/status")
	catalogue := text(a.id("box-product"))
	for _, want := range []string{
		"Catalogue degraded", "It works, but slower: its cache is not available.", "Version 1.2.3 (1a2b3c4, 2026-11-29)",
		"Answers in", "Host host-7", "Runs in Kubernetes", "PostgreSQL up 12 ms", "Redis down",
	} {
		check(t, "the answer", catalogue, has(want))
	}
	lines := map[string]int{}
	for _, n := range a.tags("path") {
		if class := attr(n, "class"); strings.HasPrefix(class, "line ") {
			lines[class]++
		}
	}
	// browser, frontend to three, three to PostgreSQL; and the catalogue to Redis
	check(t, "lines", lines, map[string]int{"line line-up": 7, "line line-down": 1})
	part := w.get("/status", w.byHtmx("/status"))
	check(t, "to htmx", part.id("picture") != nil, true, part.body, lacks("<html"), part.body, lacks("hx-trigger"))
	check(t, "it does not refresh itself", markup(t, a.id("picture").Parent), has(`hx-trigger="every 5s"`),
		markup(t, a.id("picture").Parent), has(`hx-target="#picture"`))
}

func TestThePictureWaitsForNobody(t *testing.T) {
	onEachFailure(t, inBubble, func(t *testing.T, w *website, fail func(*fake)) {
		for _, f := range []*fake{w.auth, w.product, w.recommendation} {
			fail(f)
		}
		want := map[string]string{
			"browser": "up", "frontend": "up", "auth": "down", "recommendation": "down", "product": "down",
			"postgres": "unknown", "redis": "unknown",
			"summary": "Authentication, Recommendation, Catalogue: down.",
		}
		check(t, "the page", states(w.promptly("/status")), want)
	})
}
