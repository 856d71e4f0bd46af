package page

import (
	"fmt"
	"image"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

const (
	catalogueImages = "/api/images/" // where the catalogue has the pictures that curators gave it
	siteImages      = "/images/"     // where they are here
)

// imagePolicy is for a picture that is opened by itself: an SVG is a document
// then. It may style itself and do nothing else; not even its origin is ours.
const imagePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

// images are the pictures that curators gave the catalogue.
type images struct{ catalogue backend.Catalogue }

// show answers GET /images/{name} with a picture of the catalogue's. Its bytes
// never change under one name.
func (h images) show(w http.ResponseWriter, r *http.Request) error {
	name := web.Param(r, "name")
	if !plainName.MatchString(name) {
		return fault.New(fault.NotFound, "no picture has that name")
	}
	picture, err := h.catalogue.Image(r.Context(), name)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", imagePolicy)
	web.ReplyBytes(w, r, "public, max-age=31536000, immutable", picture.MediaType, picture.Bytes)
	return nil
}

// plainName matches a name of letters, digits and "._-" that does not begin with a
// dot.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`)

// imageURL is the address of a product's picture on this site.
func (s *site) imageURL(catalogueURL string) string {
	if name, ok := strings.CutPrefix(catalogueURL, catalogueImages); ok && plainName.MatchString(name) {
		return siteImages + name
	}
	return s.assets.Art(catalogueURL)
}

// art is the picture of a product; alt is "" where its name stands beside it.
func (s *site) art(p backend.Product, alt string) view.Art {
	art := s.artOf(p.ImageURL, decimal(p.ID%tints))
	art.Alt, art.Name = alt, "art-"+decimal(p.ID)
	return art
}

// artOf is a picture of the catalogue's, beside a text.
func (s *site) artOf(catalogueURL, tint string) view.Art {
	art := view.Art{URL: s.imageURL(catalogueURL), Tint: tint}
	if strings.HasPrefix(art.URL, siteImages) {
		art.Tint += " light"
	}
	if base, size, ext, ok := photo(art.URL); ok {
		art.Width, art.Height = strconv.Itoa(size.X), strconv.Itoa(size.Y)
		art.Srcset = fmt.Sprintf("%s-4%s %dw, %s-2%s %dw, %s %dw",
			base, ext, (size.X+3)/4, base, ext, (size.X+1)/2, art.URL, size.X)
	}
	return art
}

// photoURL is the form of the URL of a photo: its name tells how large it is. There
// are copies of half and of a quarter of its size, with -2 and -4 before the extension.
var photoURL = regexp.MustCompile(`^(` + siteImages + `[0-9a-f]{64}-([0-9]{1,4})x([0-9]{1,4}))(\.(?:jpg|png))$`)

// photo takes the URL of a photo apart; ok is false of any other picture.
func photo(url string) (base string, size image.Point, ext string, ok bool) {
	parts := photoURL.FindStringSubmatch(url)
	if parts == nil {
		return "", image.Point{}, "", false
	}
	size.X, _ = strconv.Atoi(parts[2])
	size.Y, _ = strconv.Atoi(parts[3])
	return parts[1], size, parts[4], true
}

// drawing is one of the site's own, beside a text.
func (s *site) drawing(name, tint string) view.Art {
	return view.Art{URL: s.assets.URL("origami/" + name + ".svg"), Tint: tint}
}
