package page

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/card"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"

	"github.com/a-h/templ"
)

const (
	cardPrefix  = "/cards/"
	cardTimeout = 25 * time.Second // more than one drawing takes
	usualCard   = "crane"          // of pages without a product, and of products whose picture no network shows
	longExcerpt = 200              // characters
)

// pageWithOpenGraph is page with what networks show beside a link to it.
func (s *site) pageWithOpenGraph(
	w http.ResponseWriter, r *http.Request, status int, title string, social view.OpenGraph, content templ.Component,
) error {
	frame := s.frame(r, title)
	frame.OpenGraph = social
	return send(w, r, status, view.Page(frame, content))
}

// openGraph describes the page of the request; p, which may be zero, is what it shows.
func (s *site) openGraph(r *http.Request, kind, title, description string, p backend.Product) view.OpenGraph {
	model := view.OpenGraph{
		Type: kind, Title: title, Description: excerpt(description), URL: s.absolute(r, canonical(r)), ImageType: "image/png",
	}
	art := s.artOf(p.ImageURL, "")
	media, shown := map[string]string{".jpg": "image/jpeg", ".png": "image/png"}[path.Ext(art.URL)]
	if shown && strings.HasPrefix(art.URL, siteImages) {
		model.Image, model.ImageAlt, model.ImageType = s.absolute(r, art.URL), p.Name+", folded from paper", media
		model.Width, model.Height = art.Width, art.Height
		return model
	}
	model.Width, model.Height = strconv.Itoa(card.Width), strconv.Itoa(card.Height)
	drawing := strings.TrimSuffix(strings.TrimPrefix(p.ImageURL, "/static/origami/"), ".svg")
	model.ImageAlt = p.Name + ", folded from paper"
	upload := uploadURL.FindStringSubmatch(p.ImageURL)
	switch {
	case upload != nil:
		drawing = upload[1]
	case !s.cards.Has(drawing):
		drawing, model.ImageAlt = usualCard, "A crane, folded from paper"
	}
	model.Image = s.absolute(r, cardPrefix+drawing+".png")
	return model
}

// canonical is the one address of a page, without what others hung on to it.
func canonical(r *http.Request) string {
	own := url.Values{}
	for _, name := range []string{"date", "month"} {
		if value := r.URL.Query().Get(name); value != "" && r.URL.Path == dailyPath && len(own) == 0 {
			own.Set(name, value)
		}
	}
	return (&url.URL{Path: r.URL.Path, RawQuery: own.Encode()}).String()
}

// absolute is the address of a path of this site as others reach it: below PublicURL if that is set. Otherwise the Host
// header would have to tell, which is the sender's word; it is taken for this very machine's own names only, and for
// any other host the answer is "".
func (s *site) absolute(r *http.Request, path string) string {
	if s.settings.PublicURL != "" {
		return strings.TrimSuffix(s.settings.PublicURL, "/") + path
	}
	here := url.URL{Scheme: "http", Host: r.Host}
	if s.settings.Secure || r.TLS != nil {
		here.Scheme = "https"
	}
	if _, err := strconv.ParseUint("0"+here.Port(), 10, 17); err != nil || !isLoopback(here) {
		return ""
	}
	return here.String() + path
}

// isLoopback reports whether the URL leads to the machine of whoever follows it.
func isLoopback(u url.URL) bool {
	return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
}

// excerpt is the beginning of a text, cut between words.
func excerpt(text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= longExcerpt {
		return string(runes)
	}
	cut := string(runes[:longExcerpt])
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return cut + "…"
}

// uploadURL is the form of the catalogue's URL of an SVG, whose name stands for its content.
var uploadURL = regexp.MustCompile("^" + catalogueImages + "([0-9a-f]{64})[.]svg$")

// cards answers GET /cards/{file} with the card of a drawing of ours or of an upload, or the usual one.
type cards struct {
	*site

	catalogue backend.Catalogue
}

func (h cards) show(w http.ResponseWriter, r *http.Request) error {
	drawing, ok := strings.CutSuffix(web.Param(r, "file"), ".png")
	isUpload := uploadURL.MatchString(catalogueImages + drawing + ".svg")
	if !ok || !isUpload && !h.cards.Has(drawing) {
		return fault.New(fault.NotFound, "no card has that name")
	}
	var read card.Read
	if isUpload {
		read = func(ctx context.Context) ([]byte, error) {
			image, err := h.catalogue.Image(ctx, drawing+".svg")
			return image.Bytes, err
		}
	}
	body, err := h.cards.Card(r.Context(), drawing, read)
	if errors.Is(err, card.ErrNotDrawn) {
		body, err = h.cards.Card(r.Context(), usualCard, nil)
	}
	if err != nil {
		return err
	}
	web.ReplyBytes(w, r, "public, max-age=86400", "image/png", body)
	return nil
}
