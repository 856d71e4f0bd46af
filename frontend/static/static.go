// Package static is the site's assets, embedded in the binary: style, scripts
// and the drawings. Pages link content-hashed URLs, which caches keep for a
// year; the same files answer under their plain names for a short while, which
// is how the catalogue names its drawings.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"

	"craftista/shared/fault"
	"craftista/shared/web"

	"github.com/andybalholm/brotli"
)

//go:embed css/*.css js/*.js vendor/*.js origami/*.svg *.svg *.png *.webmanifest
var files embed.FS

// Prefix is where the assets are served.
const Prefix = "/static/"

const (
	cacheHashed = "public, max-age=31536000, immutable" // the URL changes with the bytes
	cachePlain  = "public, max-age=300"
	hashDigits  = 12 // of the sha256, in hexadecimal: 48 bits
)

// asset is a file. Its codings are made for the first reader who takes them:
// small files all, but to squeeze every one at each start would take longer than
// the rest of the start.
type asset struct {
	hashed       string // css/site.<hash>.css
	mediaType    string
	plain        coded
	brotli, gzip func() coded
}

// coded is a file in one coding, with the entity tag of these bytes.
type coded struct {
	body []byte
	etag string
}

// Assets are the files, each by its plain name (css/site.css) and by its hashed one.
// It is safe for concurrent use.
type Assets struct {
	current func() catalogue
	state   func() string
}

// catalogue has the assets by name. It is immutable once it is made.
type catalogue map[string]asset

// New reads and hashes the embedded files.
func New() (*Assets, error) {
	all, err := read(files)
	return &Assets{func() catalogue { return all }, func() string { return "" }}, err
}

// State is another text once an asset has changed, which only those of NewFolder do.
func (a *Assets) State() string { return a.state() }

func read(from fs.FS) (catalogue, error) {
	all := catalogue{}
	err := fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || mediaType(path.Ext(name)) == "" {
			return err
		}
		return all.add(from, name)
	})
	if err != nil {
		return nil, fmt.Errorf("read assets: %w", err)
	}
	return all, nil
}

func (c catalogue) add(from fs.FS, name string) error {
	body, err := fs.ReadFile(from, name)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:])[:hashDigits] + ext
	c[name] = asset{
		hashed: hashed, mediaType: mediaType(ext), plain: coded{body, web.ETag(body)},
		brotli: sync.OnceValue(func() coded { return compress(body, bestBrotli) }),
		gzip:   sync.OnceValue(func() coded { return compress(body, bestGzip) }),
	}
	c[hashed] = c[name]
	return nil
}

// mediaType is fixed here because mime.TypeByExtension asks the machine. What has none is no asset.
func mediaType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".png":
		return "image/png"
	case ".webmanifest":
		return "application/manifest+json"
	case ".svg":
		return "image/svg+xml"
	default:
		return ""
	}
}

func compress(body []byte, coding func(io.Writer) io.WriteCloser) coded {
	var b bytes.Buffer
	z := coding(&b)
	_, _ = z.Write(body) // a buffer takes everything
	_ = z.Close()
	return coded{b.Bytes(), web.ETag(b.Bytes())}
}

func bestBrotli(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, brotli.BestCompression) }

func bestGzip(w io.Writer) io.WriteCloser {
	z, _ := gzip.NewWriterLevel(w, gzip.BestCompression) // the level is one
	return z
}

// URL is the content-hashed URL of the named file ("css/site.css"), "" when
// there is none.
func (a *Assets) URL(name string) string {
	if found, ok := a.current()[name]; ok {
		return Prefix + found.hashed
	}
	return ""
}

// Art is the URL to show for a product's image_url. A drawing of ours gets its
// hashed URL; any other path of this site stays; everything else, a foreign
// host above all, becomes the placeholder.
func (a *Assets) Art(imageURL string) string {
	if hashed := a.URL(strings.TrimPrefix(imageURL, Prefix)); hashed != "" && strings.HasPrefix(imageURL, Prefix) {
		return hashed
	}
	if plainPath.MatchString(imageURL) && path.Clean(imageURL) == imageURL && !strings.HasPrefix(imageURL, Prefix) {
		return imageURL
	}
	return a.URL("placeholder.svg")
}

// plainPath is an absolute path of letters, digits and "/._-".
var plainPath = regexp.MustCompile(`^/[A-Za-z0-9/._-]*$`)

// Serve answers every GET below /static/: a hashed name for a year, a plain name for
// five minutes, anything else with NotFound.
func (a *Assets) Serve(w http.ResponseWriter, r *http.Request) error {
	return a.serve(w, r, strings.TrimPrefix(r.URL.Path, Prefix))
}

// Icon answers GET /favicon.ico, which browsers ask for on their own.
func (a *Assets) Icon(w http.ResponseWriter, r *http.Request) error {
	return a.serve(w, r, "icon.svg")
}

func (a *Assets) serve(w http.ResponseWriter, r *http.Request, name string) error {
	found, ok := a.current()[name]
	if !ok {
		return fault.New(fault.NotFound, "nothing is at %s", r.URL.Path)
	}
	cache := cachePlain
	if name == found.hashed {
		cache = cacheHashed
	}
	body, accept := found.plain, r.Header["Accept-Encoding"]
	switch {
	case takes(accept, "br"):
		body = found.brotli()
		w.Header().Set("Content-Encoding", "br")
	case takes(accept, "gzip"):
		body = found.gzip()
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.Header().Set("Vary", "Accept-Encoding")
	web.ReplyWithETag(w, r, cache, body.etag, web.RawBody{MediaType: found.mediaType, Bytes: body.body})
	return nil
}

// takes reports whether an Accept-Encoding header (RFC 9110 section 12.5.3) names
// the coding, other than with the weight 0.
func takes(accept []string, coding string) bool {
	for _, line := range accept {
		for item := range strings.SplitSeq(line, ",") {
			name, weight, _ := strings.Cut(item, ";")
			if strings.EqualFold(strings.TrimSpace(name), coding) {
				return !refused.MatchString(weight)
			}
		}
	}
	return false
}

// refused is the weight of a coding that is not wanted.
var refused = regexp.MustCompile(`^\s*q=0(\.0*)?\s*$`)
