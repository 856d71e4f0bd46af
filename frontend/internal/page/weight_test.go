package page_test

import (
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"craftista/frontend/internal/page"
)

// TestWeight holds what a first visit may cost on the wire, in bytes: of the
// front page's HTML, and of every script and style that it loads.
func TestWeight(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	for len(w.products) < 12 { // a full first page
		w.products = append(w.products, w.products[len(w.products)%3])
	}
	text := w.get("/").body
	weight := map[string]int{".html": w.weigh("/")}
	for _, found := range regexp.MustCompile(`(?:src|href)="(/static/[^"]+\.(?:js|css))"`).FindAllStringSubmatch(text, -1) {
		weight[path.Ext(found[1])] += w.weigh(found[1])
	}
	t.Logf("a first visit loads %v bytes", weight)
	for kind, most := range map[string]int{".html": 15 << 10, ".css": 15 << 10, ".js": 20 << 10} {
		if got := weight[kind]; got == 0 || got > most {
			t.Errorf("%d bytes of %s, want at most %d", got, kind, most)
		}
	}
}

// weigh is how many bytes a browser gets.
func (w *website) weigh(path string) int {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
	res := httptest.NewRecorder()
	w.handler.ServeHTTP(res, r)
	if coding := res.Header().Get("Content-Encoding"); res.Code != http.StatusOK || coding == "" || !strings.Contains(strings.Join(res.Header()["Vary"], ","), "Accept-Encoding") {
		w.t.Errorf("%s: %d in %q, Vary %q", path, res.Code, coding, res.Header()["Vary"])
	}
	return res.Body.Len()
}

// TestPicturesHaveSizes: nothing moves when a picture arrives.
func TestPicturesHaveSizes(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	for _, path := range []string{"/", "/origamis/1", "/login", "/nowhere"} {
		for _, img := range w.get(path).tags("img") {
			if attr(img, "width") == "" || attr(img, "height") == "" {
				t.Errorf("%s: a picture without a size: %s", path, markup(t, img))
			}
		}
	}
}
