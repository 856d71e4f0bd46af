package page

import (
	"net/http"
	"strings"

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

// image answers GET /images/{name} with a picture of the catalogue's. Its bytes
// never change under one name.
func (s *site) image(w http.ResponseWriter, r *http.Request) error {
	name := web.Param(r, "name")
	if !plainName(name) {
		return fault.New(fault.NotFound, "no picture has that name")
	}
	image, err := s.services.Images.Image(r.Context(), name)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", imagePolicy)
	web.ReplyBytes(w, r, "public, max-age=31536000, immutable", image.MediaType, image.Body)
	return nil
}

// plainName reports whether name is of letters, digits and "._-" only and does
// not begin with a dot.
func plainName(name string) bool {
	return name != "" && name[0] != '.' && strings.IndexFunc(name, func(c rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", c)
	}) < 0
}

// imageURL is the address of a product's picture on this site.
func (s *site) imageURL(catalogueURL string) string {
	if name, ok := strings.CutPrefix(catalogueURL, catalogueImages); ok && plainName(name) {
		return siteImages + name
	}
	return s.assets.Art(catalogueURL)
}
