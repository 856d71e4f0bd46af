package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"craftista/product/internal/core"

	"github.com/google/go-cmp/cmp"
)

const (
	start    = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">`
	square   = start + comment + `<path d="M1 1h7v7H1z"></path></svg>`
	comment  = "<!-- not stored -->"
	svgMedia = "image/svg+xml"
)

// squareWith is the square with something else in place of its comment.
func squareWith(inner string) string { return strings.Replace(square, comment, inner, 1) }

func (s suite) images(t *testing.T) {
	var dot, photo bytes.Buffer
	err := errors.Join(png.Encode(&dot, image.NewGray(image.Rect(0, 0, 2, 3))),
		jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 2560, 1280)), nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct{ media, sent, wanted string }{
		"svg":                     {svgMedia, square, squareWith("")},
		"svg with a charset":      {svgMedia + "; charset=utf-8", square, squareWith("")},
		"png":                     {"image/png", dot.String(), ""},
		"png and what follows it": {"image/png", dot.String() + "<script>", ""},
		"jpeg":                    {"image/jpeg", photo.String(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := send(t, s.h, "POST", "/api/images", s.g.curator(), row.media, row.sent)
			url := body[map[string]string](t, w, 201)["image_url"]
			again := send(t, s.h, "POST", "/api/images", s.g.curator(), row.media, row.sent)
			if got := body[map[string]string](t, again, 201)["image_url"]; got != url || w.Header().Get("Location") != url {
				t.Errorf("uploaded to %s, then to %s; header %v", url, got, w.Header())
			}
			s.shown(t, url, strings.Split(row.media, ";")[0], row.wanted)
			added := body[product](t, post(t, s.h, s.g.curator(), with("image_url", url)), 201)
			if added.ImageURL != url {
				t.Errorf("image %q, want %q", added.ImageURL, url)
			}
		})
	}
	zeros := strings.Repeat("0", 64)
	for _, name := range []string{"1", "..%2f1", zeros + ".svg", zeros + ".png", zeros + "-9x9.jpg", zeros + "-9x9-2.jpg",
		zeros + "-9x9-3.jpg", zeros + ".jpg.svg", "%00", "crane.svg"} {
		checkProblem(t, call(t, s.h, "GET", "/api/images/"+name, ""), 404, "/api/images/"+name)
	}
}

// shown checks that anybody gets the image, may keep it for good, and that a
// browser which opens it by itself lets it do nothing.
func (s suite) shown(t *testing.T, url, media, wanted string) {
	w := call(t, s.h, "GET", url, "")
	sum := sha256.Sum256(w.Body.Bytes())
	if w.Code != 200 || !strings.HasPrefix(url, "/api/images/"+hex.EncodeToString(sum[:])) {
		t.Errorf("%s: status %d, content %x", url, w.Code, sum)
	}
	s.copiesShown(t, url)
	if wanted != "" && w.Body.String() != wanted {
		t.Errorf("got %s, want %s", w.Body, wanted)
	}
	headers := map[string]string{
		"Content-Type": media, "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
	}
	head := call(t, s.h, "HEAD", url, "")
	for name, want := range headers {
		if w.Header().Get(name) != want || head.Header().Get(name) != want {
			t.Errorf("%s %q, to HEAD %q, want %q", name, w.Header().Get(name), head.Header().Get(name), want)
		}
	}
	again := send(t, s.h, "GET", url, "", "", "", "If-None-Match", w.Header().Get("Etag"))
	if again.Code != 304 || again.Body.Len() != 0 {
		t.Errorf("again: status %d", again.Code)
	}
}

// copiesShown checks that a photo's smaller copies are where its name says, and are
// as large as it says.
func (s suite) copiesShown(t *testing.T, url string) {
	var width, height int
	name, ext := strings.TrimSuffix(url, filepath.Ext(url)), filepath.Ext(url)
	if ext == ".svg" {
		return
	}
	if _, err := fmt.Sscanf(name[strings.IndexByte(name, '-'):], "-%dx%d", &width, &height); err != nil {
		t.Fatalf("%s does not tell its size: %v", url, err)
	}
	for _, smaller := range []string{"", "-2", "-4"} {
		w := call(t, s.h, "GET", name+smaller+ext, "")
		config, _, err := image.DecodeConfig(w.Body)
		if err != nil || config.Width != width || config.Height != height {
			t.Errorf("%s%s%s: status %d, %d by %d, %v; want %d by %d", name, smaller, ext, w.Code, config.Width, config.Height,
				err, width, height)
		}
		width, height = (width+1)/2, (height+1)/2
	}
}

func (s suite) badImages(t *testing.T) {
	one := func(message string) []field { return []field{{"image", message}} }
	for name, row := range map[string]struct {
		media, body string
		status      int
		want        []field
	}{
		"script": {svgMedia, squareWith("<script/>"), 422, one("contains a script. Save it without scripts")},
		"all reasons": {svgMedia, squareWith("<text>x</text><image href='x'/><text>y</text>"), 422, []field{
			{"image", "contains text. In Inkscape: Path → Object to Path; in Illustrator: Type → Create Outlines"},
			{"image", "contains a photo. Remove it, or in Inkscape: Path → Trace Bitmap"},
		}},
		"nothing as svg": {svgMedia, "", 422, one("is not an SVG drawing, or does not say that it is. " +
			"In Inkscape: open it and save it again")},
		"svg as png":          {"image/png", square, 422, one("is not a JPEG, PNG, WebP or GIF that can be read")},
		"one byte too many":   {svgMedia, square + strings.Repeat(" ", 1<<20+1-len(square)), 413, nil},
		"a photo too large":   {"image/jpeg", strings.Repeat("x", 12<<20+1), 413, nil},
		"another kind":        {"image/heic", "ftypheic", 415, nil},
		"a page":              {"text/html", "<p>", 415, nil},
		"no media type":       {"", square, 415, nil},
		"a form with a file":  {"multipart/form-data; boundary=x", "--x--", 415, nil},
		"two types at a time": {"image/png, image/svg+xml", square, 415, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := send(t, s.h, "POST", "/api/images", s.g.curator(), row.media, row.body)
			if diff := cmp.Diff(body[problem](t, w, row.status).Errors, row.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
	full := square + strings.Repeat(" ", 1<<20-len(square))
	if w := send(t, s.h, "POST", "/api/images", s.g.curator(), svgMedia, full); w.Code != 201 {
		t.Errorf("1 MiB: status %d, body %s", w.Code, w.Body)
	}
}

// TestTooManyUploads: each may hold megabytes, so one more than there is memory for
// is told when to come back, and none is after that.
func TestTooManyUploads(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	h := g.service(core.NoCache{})
	var uploads sync.WaitGroup
	var bodies []*io.PipeWriter
	for range 8 {
		body, sent := io.Pipe()
		bodies = append(bodies, sent)
		uploads.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/images", body)
			r.Header.Set("Authorization", "Bearer "+g.curator())
			r.Header.Set("Content-Type", "image/jpeg")
			h.ServeHTTP(httptest.NewRecorder(), r)
		})
		_, _ = sent.Write([]byte("x")) // returns once it is read
	}
	w := send(t, h, "POST", "/api/images", g.curator(), svgMedia, square)
	checkProblem(t, w, 503, "/api/images")
	if w.Header().Get("Retry-After") == "" {
		t.Error("does not say when to try again")
	}
	for _, sent := range bodies {
		_ = sent.Close()
	}
	uploads.Wait()
	if w := send(t, h, "POST", "/api/images", g.curator(), svgMedia, square); w.Code != 201 {
		t.Errorf("after that: %d %s", w.Code, w.Body)
	}
}
