package page_test

import (
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"craftista/frontend/internal/page"
)

// TestFeed: the days of two months, the newest first, each with an address of its own.
func TestFeed(t *testing.T) {
	w := startWebsite(t, page.Settings{PublicURL: "https://origami.example"})
	res := w.bare(http.MethodGet, "/daily.atom")
	var feed struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		ID      string   `xml:"id"`
		Updated string   `xml:"updated"`
		Author  string   `xml:"author>name"`
		Entries []struct {
			ID      string `xml:"id"`
			Title   string `xml:"title"`
			Updated string `xml:"updated"`
			Summary string `xml:"summary"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(res.Body.Bytes(), &feed); err != nil {
		t.Fatal(err)
	}
	check(t, "the feed", res.Code, 200, res.Header().Get("Content-Type"), "application/atom+xml; charset=utf-8",
		feed.ID, "https://origami.example/daily", feed.Updated, "2026-11-22T00:00:00Z", feed.Author, "Craftista",
		len(feed.Entries) >= 2, true)
	first, second := feed.Entries[0], feed.Entries[1]
	check(t, "the entries", first.ID, "https://origami.example/daily?date=2026-11-22", first.Title, "Crane",
		first.Updated, "2026-11-22T00:00:00Z", first.Summary, "A crane.", second.ID,
		"https://origami.example/daily?date=2026-11-03")
	w.recommendation.failure.Store(broken)
	check(t, "unavailable", w.bare(http.MethodGet, "/daily.atom").Code, http.StatusServiceUnavailable)
}

func TestSitemap(t *testing.T) {
	w := startWebsite(t, page.Settings{PublicURL: "https://origami.example"})
	res := w.bare(http.MethodGet, "/sitemap.xml")
	var all struct {
		XMLName xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		URLs    []string `xml:"url>loc"`
	}
	if err := xml.Unmarshal(res.Body.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	const at = "https://origami.example"
	check(t, "the sitemap", res.Code, 200, all.URLs, []string{
		at + "/", at + "/daily", at + "/privacy", at + "/origamis/1", at + "/origamis/2", at + "/origamis/3",
	}, res.Body.String(), has("<lastmod>2026-01-02T03:04:05Z</lastmod>"))
	check(t, "asked", w.listed[0].Get("sort"), "-created_at", w.listed[1].Get("cursor"), "two=")
	check(t, "robots", w.bare(http.MethodGet, "/robots.txt").Body.String(), ends("Sitemap: "+at+"/sitemap.xml\n"))
}

// TestAFileOfAddressesNeedsOne of the site's own.
func TestAFileOfAddressesNeedsOne(t *testing.T) {
	w := startWebsite(t)
	for _, path := range []string{"/daily.atom", "/sitemap.xml"} {
		check(t, path, w.bare(http.MethodGet, path).Code, http.StatusNotFound)
	}
	check(t, "robots", w.bare(http.MethodGet, "/robots.txt").Body.String(), lacks("Sitemap"))
}

func TestPrivacyAndManifest(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/privacy")
	a.check(t, "the page", 200, text(a.tags("h1")[0]), "Privacy", text(a.class("site-footer")), has("Privacy"))
	for _, cookie := range []string{"craftista_session", "craftista_refresh", "craftista_vote"} {
		check(t, "cookies", text(a.tags("dl")[0]), has(cookie))
	}
	for rel, media := range map[string]string{
		"manifest": "application/manifest+json", "apple-touch-icon": "image/png", "alternate": "",
	} {
		for _, link := range a.tags("link") {
			if attr(link, "rel") == rel && media != "" {
				res := w.bare(http.MethodGet, attr(link, "href"))
				check(t, rel, res.Code, 200, res.Header().Get("Content-Type"), media)
				if rel == "manifest" {
					check(t, "icons", strings.Count(res.Body.String(), "/static/icon"), 4)
				}
			}
		}
	}
	for _, name := range []string{"icon-180.png", "icon-512.png", "icon.svg"} {
		check(t, name, w.bare(http.MethodGet, "/static/"+name).Code, 200)
	}
}
