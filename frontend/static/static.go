// Package static is the site's assets, embedded in the binary: style, scripts
// and the drawings. Pages link content-hashed URLs, which caches keep for a
// year; the same files answer under their plain names for a short while, which
// is how the catalogue knows its drawings.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"craftista/shared/fault"
	"craftista/shared/web"
)

//go:embed css/*.css js/*.js vendor/*.js origami/*.svg icon.svg placeholder.svg
var files embed.FS

// Prefix is where the assets are served.
const Prefix = "/static/"

const (
	cacheHashed = "public, max-age=31536000, immutable" // the URL changes with the bytes
	cachePlain  = "public, max-age=300"
	hashDigits  = 12 // of the sha256, in hexadecimal: 48 bits
)

type asset struct {
	plain, zipped []byte
	mediaType     string
}

// Assets are the files by URL. It is immutable and safe for concurrent use.
type Assets struct {
	byName map[string]asset  // css/site.css
	hashed map[string]string // css/site.css -> css/site.<hash>.css
	plain  map[string]string // the way back
}

// New reads, hashes and compresses the embedded files.
func New() (*Assets, error) {
	a := &Assets{byName: map[string]asset{}, hashed: map[string]string{}, plain: map[string]string{}}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return a.add(name)
	})
	if err != nil {
		return nil, fmt.Errorf("read assets: %w", err)
	}
	return a, nil
}

func (a *Assets) add(name string) error {
	body, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	zipped, err := zip(body)
	if err != nil {
		return fmt.Errorf("compress %s: %w", name, err)
	}
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:])[:hashDigits] + ext
	a.byName[name] = asset{plain: body, zipped: zipped, mediaType: mediaType(ext)}
	a.hashed[name] = hashed
	a.plain[hashed] = name
	return nil
}

// mediaType is fixed here because mime.TypeByExtension asks the machine.
func mediaType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	default:
		return "image/svg+xml"
	}
}

func zip(body []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// URL is the content-hashed URL of the named file ("css/site.css"), "" when
// there is none.
func (a *Assets) URL(name string) string {
	if hashed, ok := a.hashed[name]; ok {
		return Prefix + hashed
	}
	return ""
}

// Art is the URL to show for a piece's image_url. A drawing of ours gets its
// hashed URL; any other path of this site stays; everything else, a foreign
// host above all, becomes the placeholder.
func (a *Assets) Art(imageURL string) string {
	if hashed := a.URL(strings.TrimPrefix(imageURL, Prefix)); hashed != "" && strings.HasPrefix(imageURL, Prefix) {
		return hashed
	}
	if sameSite(imageURL) && !strings.HasPrefix(imageURL, Prefix) {
		return imageURL
	}
	return a.URL("placeholder.svg")
}

// sameSite reports whether ref is a plain absolute path: of letters, digits and
// "/._-" only, and with no empty or dotted segment.
func sameSite(ref string) bool {
	if !strings.HasPrefix(ref, "/") || path.Clean(ref) != ref {
		return false
	}
	return strings.IndexFunc(ref, func(c rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-", c)
	}) < 0
}

// Serve answers every GET below /static/: a hashed name for a year, a plain name for five
// minutes, anything else with NotFound.
func (a *Assets) Serve(w http.ResponseWriter, r *http.Request) error {
	name, cache := strings.TrimPrefix(r.URL.Path, Prefix), cachePlain
	if plain, ok := a.plain[name]; ok {
		name, cache = plain, cacheHashed
	}
	return a.serve(w, r, name, cache)
}

// Icon answers GET /favicon.ico, which browsers ask for on their own.
func (a *Assets) Icon(w http.ResponseWriter, r *http.Request) error {
	return a.serve(w, r, "icon.svg", cachePlain)
}

func (a *Assets) serve(w http.ResponseWriter, r *http.Request, name, cache string) error {
	found, ok := a.byName[name]
	if !ok {
		return fault.New(fault.NotFound, "nothing is at %s", r.URL.Path)
	}
	body := found.plain
	w.Header().Set("Vary", "Accept-Encoding")
	if takesGzip(strings.Join(r.Header.Values("Accept-Encoding"), ",")) {
		body = found.zipped
		w.Header().Set("Content-Encoding", "gzip")
	}
	web.ReplyBytes(w, r, cache, found.mediaType, body)
	return nil
}

// takesGzip reports whether an Accept-Encoding (RFC 9110 section 12.5.3) takes
// gzip: named itself, or else by *, with a weight that is not 0.
func takesGzip(accept string) bool {
	takes := false
	for item := range strings.SplitSeq(accept, ",") {
		coding, weight, weighted := strings.Cut(item, ";")
		_, value, _ := strings.Cut(weight, "=")
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		wanted := !weighted || err == nil && q > 0
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip":
			return wanted
		case "*":
			takes = wanted
		}
	}
	return takes
}
