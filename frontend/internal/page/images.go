package page

import (
	"net/http"
	"regexp"
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
	image, err := h.catalogue.Image(r.Context(), name)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", imagePolicy)
	web.ReplyBytes(w, r, "public, max-age=31536000, immutable", image.MediaType, image.Bytes)
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
	return view.Art{URL: s.imageURL(p.ImageURL), Alt: alt, Tint: "tint-" + decimal(p.ID%tints)}
}

// drawing is one of the site's own, beside a text.
func (s *site) drawing(name, tint string) view.Art {
	return view.Art{URL: s.assets.URL("origami/" + name + ".svg"), Tint: tint}
}
