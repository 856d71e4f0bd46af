package page_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

// bare sends the request as it is, where Go's client would add and take away
// compression.
func (w *website) bare(method, path string, options ...option) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, nil)
	for _, o := range options {
		o(r)
	}
	res := httptest.NewRecorder()
	w.handler.ServeHTTP(res, r)
	return res
}

func unzip(t *testing.T, res *httptest.ResponseRecorder) string {
	t.Helper()
	if got := res.Header().Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("%d in %q", res.Code, got)
	}
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false) // browsers read no second member
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPagesAreCompressed(t *testing.T) {
	w := startWebsite(t)
	signedIn, zipped := w.signedIn, header("Accept-Encoding", "gzip, br")
	for _, path := range []string{"/", "/origamis/1", "/nowhere"} {
		plain, small := w.bare("GET", path, signedIn), w.bare("GET", path, signedIn, zipped)
		for name, res := range map[string]*httptest.ResponseRecorder{"plain": plain, "compressed": small} {
			check(t, path+", "+name, strings.Join(res.Header()["Vary"], ", "), "HX-Request, Accept-Encoding")
		}
		text := unzip(t, small)
		check(t, path, plain.Header().Get("Content-Encoding"), "", len(text), plain.Body.Len(), plain.Code, small.Code)
	}
}

// TestDrawingsAreCompressed: uploaded ones too.
func TestDrawingsAreCompressed(t *testing.T) {
	w := startWebsite(t)
	plain := w.bare("GET", "/images/heron.svg")
	small := w.bare("GET", "/images/heron.svg", header("Accept-Encoding", "gzip"))
	weight := small.Body.Len()
	check(t, "the drawing", unzip(t, small), plain.Body.String(), weight < plain.Body.Len()/10, true,
		small.Header().Get("Vary"), "Accept-Encoding",
		small.Header().Get("Cache-Control"), plain.Header().Get("Cache-Control"))
}

func TestWhatIsNotCompressed(t *testing.T) {
	w := startWebsite(t)
	zipped := header("Accept-Encoding", "gzip")
	for name, res := range map[string]*httptest.ResponseRecorder{
		"refused":  w.bare("GET", "/", header("Accept-Encoding", "gzip;q=0, br")),
		"small":    w.bare("GET", "/votingservice-status", zipped),
		"pictures": w.bare("GET", "/static/origami/crane.svg", header("Accept-Encoding", "identity")),
		"text":     w.bare("GET", "/robots.txt", zipped),
		"JSON":     w.bare("GET", "/openapi.json", zipped),
		"nothing":  w.bare("POST", "/origamis/1/vote", zipped, w.signedIn),
	} {
		check(t, name, res.Header().Get("Content-Encoding"), "")
	}
}

// TestTagsAreOfOneCoding: a body in another coding is another body.
func TestTagsAreOfOneCoding(t *testing.T) {
	w := startWebsite(t)
	zipped := header("Accept-Encoding", "gzip")
	for _, path := range []string{"/docs", "/openapi.json"} {
		plain, other := w.bare("GET", path), w.bare("GET", path, zipped)
		tag := plain.Header().Get("ETag")
		if other.Header().Get("Content-Encoding") != "" && other.Header().Get("ETag") == tag || tag == "" {
			t.Errorf("%s: both codings have the tag %q", path, tag)
		}
		check(t, path, w.bare("GET", path, zipped, header("If-None-Match", tag)).Code, http.StatusNotModified)
	}
}

// TestWeight holds what a first visit may cost on the wire, in bytes: of the
// front page's HTML, and of every script and style that it loads.
func TestWeight(t *testing.T) {
	w := startWebsite(t)
	for len(w.products) < 12 { // a full first page
		w.products = append(w.products, w.products[len(w.products)%3])
	}
	text := w.get("/").body
	weight := map[string]int{".html": w.weigh("/")}
	for _, found := range regexp.MustCompile(`(?:src|href)="(/static/[^"]+\.(?:js|css))"`).FindAllStringSubmatch(text,
		-1) {
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
	res := w.bare("GET", path, header("Accept-Encoding", "gzip, deflate, br, zstd"))
	if coding := res.Header().Get("Content-Encoding"); res.Code != http.StatusOK || coding == "" ||
		!strings.Contains(strings.Join(res.Header()["Vary"], ","), "Accept-Encoding") {
		w.t.Errorf("%s: %d in %q, Vary %q", path, res.Code, coding, res.Header()["Vary"])
	}
	return res.Body.Len()
}

// TestPicturesHaveSizes: nothing moves when a picture arrives.
func TestPicturesHaveSizes(t *testing.T) {
	w := startWebsite(t)
	for _, path := range []string{"/", "/origamis/1", "/login", "/nowhere"} {
		for _, img := range w.get(path).tags("img") {
			if attr(img, "width") == "" || attr(img, "height") == "" {
				t.Errorf("%s: a picture without a size: %s", path, markup(t, img))
			}
		}
	}
}
