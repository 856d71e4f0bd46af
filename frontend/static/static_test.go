package static_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"craftista/frontend/static"
	"craftista/shared/fault"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
)

func newAssets(t *testing.T) *static.Assets {
	t.Helper()
	assets, err := static.New()
	if err != nil {
		t.Fatal(err)
	}
	return assets
}

func get(t *testing.T, path string, headers ...string) (*httptest.ResponseRecorder, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	err := newAssets(t).Serve(w, r)
	return w, err
}

func TestURLs(t *testing.T) {
	t.Parallel()
	assets := newAssets(t)
	for name, want := range map[string]string{
		"css/site.css":        `^/static/css/site\.[0-9a-f]{12}\.css$`,
		"js/site.js":          `^/static/js/site\.[0-9a-f]{12}\.js$`,
		"js/password.js":      `^/static/js/password\.[0-9a-f]{12}\.js$`,
		"js/reload.js":        `^/static/js/reload\.[0-9a-f]{12}\.js$`,
		"vendor/htmx.min.js":  `^/static/vendor/htmx\.min\.[0-9a-f]{12}\.js$`,
		"origami/crane.svg":   `^/static/origami/crane\.[0-9a-f]{12}\.svg$`,
		"icon.svg":            `^/static/icon\.[0-9a-f]{12}\.svg$`,
		"origami/unicorn.svg": `^$`,
	} {
		if got := assets.URL(name); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s is at %q, want %s", name, got, want)
		}
	}
}

func TestArt(t *testing.T) {
	t.Parallel()
	assets := newAssets(t)
	placeholder := assets.URL("placeholder.svg")
	for image, want := range map[string]string{
		"/static/origami/crane.svg":         assets.URL("origami/crane.svg"),
		"/static/origami/unicorn.svg":       placeholder,
		"/pictures/mine.png":                "/pictures/mine.png",
		"":                                  placeholder,
		"origami/crane.svg":                 placeholder,
		"https://evil.example/x.svg":        placeholder,
		"//evil.example/x.svg":              placeholder,
		`/\evil.example/x.svg`:              placeholder,
		"/pictures/../x.svg":                placeholder,
		"/pictures//x.svg":                  placeholder,
		"/%2Fevil.example/x.svg":            placeholder,
		"javascript:alert(1)":               placeholder,
		"data:image/svg+xml,<svg/>":         placeholder,
		"/x.svg?\"onload=":                  placeholder,
		"/static/origami/../css/site.css":   placeholder,
		"/static/../pictures/crane.svg\x00": placeholder,
	} {
		if got := assets.Art(image); got != want {
			t.Errorf("%q is shown as %q, want %q", image, got, want)
		}
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	assets := newAssets(t)
	for _, c := range []struct{ path, media, cache string }{
		{assets.URL("css/site.css"), "text/css; charset=utf-8", "public, max-age=31536000, immutable"},
		{assets.URL("vendor/htmx.min.js"), "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"/static/origami/crane.svg", "image/svg+xml", "public, max-age=300"},
	} {
		checkServed(t, c.path, c.media, c.cache)
	}
	for _, path := range []string{"/static/", "/static/css", "/static/css/site.000000000000.css", "/static/static.go",
		"/static/../go.mod", "/static/origami/%2e%2e/icon.svg.bak"} {
		var f *fault.Error
		if _, err := get(t, path); !errors.As(err, &f) || f.Kind != fault.NotFound {
			t.Errorf("%s: %v, want not found", path, err)
		}
	}
}

// checkServed holds that path is served plain and in both codings, each with its
// own tag.
func checkServed(t *testing.T, path, media, cache string) {
	t.Helper()
	var plain []byte
	tags := map[string]bool{}
	for _, coding := range []string{"", "gzip", "br"} {
		w, err := get(t, path, "Accept-Encoding", coding)
		if err != nil {
			t.Fatal(err)
		}
		h := w.Header()
		got := []string{h.Get("Content-Type"), h.Get("Cache-Control"), h.Get("Vary"), h.Get("Content-Encoding"),
			h.Get("Content-Length")}
		want := []string{media, cache, "Accept-Encoding", coding, strconv.Itoa(w.Body.Len())}
		if diff := cmp.Diff(want, got); w.Code != http.StatusOK || diff != "" {
			t.Errorf("%s in %q: %d\n%s", path, coding, w.Code, diff)
		}
		again, err := get(t, path, "If-None-Match", h.Get("ETag"), "Accept-Encoding", coding)
		if err != nil || again.Code != http.StatusNotModified || again.Body.Len() != 0 ||
			again.Header().Get("Cache-Control") != cache {
			t.Errorf("%s in %q with its tag: %d %v", path, coding, again.Code, err)
		}
		body, length := decoded(t, coding, w.Body), w.Body.Len()
		if coding == "" {
			plain = body
		} else if !bytes.Equal(body, plain) || length >= len(plain) {
			t.Errorf("%s in %q: %d bytes for %d, or others", path, coding, length, len(plain))
		}
		tags[h.Get("ETag")] = true
	}
	if len(tags) != 3 {
		t.Errorf("%s: codings share a tag: %v", path, tags)
	}
}

func decoded(t *testing.T, coding string, body *bytes.Buffer) []byte {
	t.Helper()
	from := io.Reader(bytes.NewReader(body.Bytes()))
	switch coding {
	case "gzip":
		z, err := gzip.NewReader(from)
		if err != nil {
			t.Fatal(err)
		}
		from = z
	case "br":
		from = brotli.NewReader(from)
	}
	plain, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestAcceptEncoding(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]string{
		"": "", "br": "br", "identity": "", "notgzip": "", "gzip": "gzip", "gzip, deflate, br, zstd": "br", "GZip, BR": "br",
		"gzip;q=0.1": "gzip", "gzip;q=0": "", "gzip; q=0.000": "", "br;q=0, gzip": "gzip", "br;q=0.5, gzip;q=0.5": "br",
	} {
		w, err := get(t, "/static/icon.svg", "Accept-Encoding", accept)
		if got := w.Header().Get("Content-Encoding"); err != nil || got != want {
			t.Errorf("%q is answered with %q, want %q (%v)", accept, got, want, err)
		}
	}
}

// TestVendored compares what is vendored with the table beside it.
func TestVendored(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("vendor/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"htmx.min.js", "hx-sse.min.js"} {
		body, err := os.ReadFile("vendor/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(body); !bytes.Contains(table, []byte("| `"+hex.EncodeToString(sum[:])+"`")) {
			t.Errorf("%s has the sum %x, the table says otherwise", name, sum)
		}
	}
}

// TestDrawings holds that every drawing is well-formed and obeys the policy of
// the pages: no script, no style, nothing from elsewhere.
func TestDrawings(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("origami/*.svg")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d drawings, %v", len(names), err)
	}
	for _, name := range append(names, "icon.svg", "placeholder.svg") {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(bytes.NewReader(body))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			e, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			if e.Name.Local == "script" || e.Name.Local == "style" || e.Name.Local == "foreignObject" ||
				e.Name.Local == "image" {
				t.Errorf("%s: <%s>", name, e.Name.Local)
			}
			for _, a := range e.Attr {
				if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") ||
					(a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#")) {
					t.Errorf("%s: %s=%q", name, a.Name.Local, a.Value)
				}
			}
		}
	}
}

// TestFolderFollowsEdits is what a developer does: change a file, add one, and break off in the middle.
func TestFolderFollowsEdits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := static.NewFolder(dir); err == nil {
		t.Error("a folder without assets is accepted")
	}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("css/site.css", "p {}")
	write("static.go", "package static")
	assets, err := static.NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	before, state := assets.URL("css/site.css"), assets.State()
	if again := assets.State(); before == "" || state != again || assets.URL("static.go") != "" {
		t.Errorf("got %q, states %q and %q, %q", before, state, again, assets.URL("static.go"))
	}
	write("css/site.css", "p { color: red }")
	write("js/new.js", "1")
	if now := assets.URL("css/site.css"); now == before || assets.URL("js/new.js") == "" || assets.State() == state {
		t.Errorf("after an edit the style is at %q, the script at %q", now, assets.URL("js/new.js"))
	}
}
