package page_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"craftista/frontend/internal/page"
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
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	signedIn, zipped := as(w.issuer.Mint(7, "user")), header("Accept-Encoding", "gzip, br")
	for _, path := range []string{"/", "/origamis/1", "/nowhere"} {
		plain, small := w.bare("GET", path, signedIn), w.bare("GET", path, signedIn, zipped)
		for name, res := range map[string]*httptest.ResponseRecorder{"plain": plain, "compressed": small} {
			if got := strings.Join(res.Header()["Vary"], ", "); got != "HX-Request, Accept-Encoding" {
				t.Errorf("%s, %s: Vary %q", path, name, got)
			}
		}
		text := unzip(t, small)
		if plain.Header().Get("Content-Encoding") != "" || len(text) != plain.Body.Len() || plain.Code != small.Code {
			t.Errorf("%s: %d with %d bytes, compressed %d with %d", path, plain.Code, plain.Body.Len(), small.Code, len(text))
		}
	}
}

func TestWhatIsNotCompressed(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	zipped := header("Accept-Encoding", "gzip")
	for name, res := range map[string]*httptest.ResponseRecorder{
		"refused":  w.bare("GET", "/", header("Accept-Encoding", "gzip;q=0, br")),
		"small":    w.bare("GET", "/votingservice-status", zipped),
		"pictures": w.bare("GET", "/static/origami/crane.svg", header("Accept-Encoding", "identity")),
		"text":     w.bare("GET", "/robots.txt", zipped),
		"nothing":  w.bare("POST", "/origamis/1/vote", zipped, as(w.issuer.Mint(7, "user"))),
	} {
		if got := res.Header().Get("Content-Encoding"); got != "" {
			t.Errorf("%s: %d in %q", name, res.Code, got)
		}
	}
}

// TestTagsOfCompressedJSON: a body in another coding is another body.
func TestTagsOfCompressedJSON(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	const path = "/openapi.json"
	zipped := header("Accept-Encoding", "gzip")
	plain, small := w.bare("GET", path), w.bare("GET", path, zipped)
	if unzip(t, small) != plain.Body.String() {
		t.Error("the codings differ")
	}
	tags := []string{plain.Header().Get("ETag"), small.Header().Get("ETag")}
	if tags[0] == tags[1] || tags[0] == "" || !strings.HasSuffix(tags[1], `-gzip"`) {
		t.Errorf("tags %q", tags)
	}
	for i, tag := range tags {
		res := w.bare("GET", path, zipped, header("If-None-Match", tag))
		vary := res.Header().Values("Vary")
		if res.Code != http.StatusNotModified || res.Header().Get("ETag") != tags[i] || len(vary) != 1 || vary[0] != "Accept-Encoding" || res.Body.Len() != 0 {
			t.Errorf("with %s: %d %v", tag, res.Code, res.Header())
		}
	}
	if res := w.bare("HEAD", path, zipped, header("If-None-Match", tags[1])); res.Code != http.StatusNotModified {
		t.Errorf("HEAD: %d %v", res.Code, res.Header())
	}
}
