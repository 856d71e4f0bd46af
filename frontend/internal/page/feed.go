package page

import (
	"encoding/xml"
	"net/http"
	"slices"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/shared/fault"
	"craftista/shared/web"
)

const feedPath = "/daily.atom"

// atomFeed is a feed by RFC 4287.
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"` // the day's midnight, UTC: a day keeps its product
	Link    atomLink `xml:"link"`
	Summary string   `xml:"summary"`
}

// feed answers GET /daily.atom with the products of the days of this month and the last one,
// the newest first. Its ids are addresses of the site, which has to know its own.
func (h dailyPage) feed(w http.ResponseWriter, r *http.Request) error {
	home := h.absolute(r, dailyPath)
	if home == "" {
		return unknownAddress()
	}
	_, err := h.services.Recommendation.Daily(r.Context()) // which records it
	if err != nil && fault.KindOf(err) != fault.NotFound { // of an empty gallery
		return err
	}
	today := h.settings.Now().UTC().Truncate(24 * time.Hour)
	feed := atomFeed{
		ID: home, Title: "Craftista: the piece of the day", Updated: today.Format(time.RFC3339), Author: "Craftista",
		Links: []atomLink{{"self", h.absolute(r, feedPath)}, {"alternate", home}},
	}
	for _, month := range []time.Time{today, today.AddDate(0, 0, -today.Day())} {
		days, _, _, err := h.services.Recommendation.Archive(r.Context(), month.Format(monthOnly))
		if err != nil {
			return err
		}
		for _, d := range slices.Backward(days) {
			feed.Entries = append(feed.Entries, entry(d, h.absolute(r, dayURL(d.Date))))
		}
	}
	return replyXML(w, r, "application/atom+xml; charset=utf-8", feed)
}

func entry(d backend.Daily, address string) atomEntry {
	return atomEntry{
		ID: address, Title: d.Name, Updated: d.Date + "T00:00:00Z",
		Link: atomLink{"alternate", address}, Summary: d.Description,
	}
}

// sitemap is a file by sitemaps.org.
type sitemap struct {
	XMLName xml.Name  `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
	URLs    []siteURL `xml:"url"`
}

type siteURL struct {
	Address string `xml:"loc"`
	Changed string `xml:"lastmod,omitempty"`
}

// sitemapPages of 100 products each are in the sitemap: as many as a few calls give within
// the time of a page. Crawlers find older ones by the links of the gallery.
const sitemapPages = 20

// sitemap answers GET /sitemap.xml with the pages for everybody and the newest products.
func (h gallery) sitemap(w http.ResponseWriter, r *http.Request) error {
	var all sitemap
	if h.absolute(r, "/") == "" {
		return unknownAddress()
	}
	for _, path := range []string{"/", dailyPath, privacyPath} {
		all.URLs = append(all.URLs, siteURL{Address: h.absolute(r, path)})
	}
	listing := backend.Listing{Sort: "-created_at", Limit: 100}
	for range sitemapPages {
		products, next, err := h.services.Catalogue.Find(r.Context(), listing)
		if err != nil {
			return err
		}
		for _, p := range products {
			changed := p.UpdatedAt.UTC().Format(time.RFC3339)
			all.URLs = append(all.URLs, siteURL{h.absolute(r, productURL(p.ID)), changed})
		}
		if listing.Cursor = next; next == "" {
			break
		}
	}
	return replyXML(w, r, "application/xml; charset=utf-8", all)
}

func unknownAddress() error {
	return fault.New(fault.NotFound, "the site does not know its own address, see PUBLIC_URL")
}

// replyXML sends a file that caches may keep for an hour.
func replyXML(w http.ResponseWriter, r *http.Request, mediaType string, v any) error {
	body, err := xml.Marshal(v)
	if err != nil {
		return err
	}
	web.ReplyBytes(w, r, "public, max-age=3600", mediaType, append([]byte(xml.Header), body...))
	return nil
}
