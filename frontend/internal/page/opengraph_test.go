package page_test

import (
	"bytes"
	"image/png"
	"net/http"
	"path"
	"strings"
	"testing"

	"craftista/frontend/internal/card"
	"craftista/frontend/internal/page"
)

// openGraphTags are what the head tells networks.
func openGraphTags(a answer) map[string]string {
	found := map[string]string{}
	for _, n := range a.tags("meta") {
		if name := attr(n, "property") + attr(n, "name"); strings.HasPrefix(name, "og:") ||
			strings.HasPrefix(name, "twitter:") {
			found[name] = attr(n, "content")
		}
	}
	for _, n := range a.tags("link") {
		if attr(n, "rel") == "canonical" {
			found["canonical"] = attr(n, "href")
		}
	}
	return found
}

func TestShareTags(t *testing.T) {
	w := startWebsite(t, page.Settings{PublicURL: "https://origami.example/"})
	w.products[0]["description"] = "A  <crane>\nthat " + strings.Repeat("flies on and ", 30)
	want := map[string]string{
		"og:site_name": "Craftista", "og:type": "article", "og:title": "Crane",
		"og:url":         "https://origami.example/origamis/1",
		"canonical":      "https://origami.example/origamis/1",
		"og:description": "A <crane> that " + strings.Repeat("flies on and ", 13) + "flies on and…",
		"og:image":       "https://origami.example/cards/crane.png", "og:image:type": "image/png", "og:image:width": "1200",
		"og:image:height": "630",
		"og:image:alt":    "Crane, folded from paper", "twitter:card": "summary_large_image",
	}
	check(t, "tags", openGraphTags(w.get("/origamis/1?utm_source=elsewhere")), want)
	for path, want := range map[string]string{
		"/": "https://origami.example/", "/daily?x=1": "https://origami.example/daily",
		"/daily?month=2026-08&date=2026-11-03": "https://origami.example/daily?date=2026-11-03",
		"/login?next=%2Faccount":               "https://origami.example/login",
		"/register":                            "https://origami.example/register",
		"/status":                              "https://origami.example/status", "/origamis/99": "",
	} {
		check(t, path, openGraphTags(w.get(path))["canonical"], want)
	}
}

// TestDescriptions: what a search engine shows below a link is each page's own.
func TestDescriptions(t *testing.T) {
	w := startWebsite(t, page.Settings{PublicURL: "https://origami.example"})
	pages := map[string]string{}
	for _, path := range []string{"/", "/origamis/1", "/daily", "/daily?month=2026-08", "/login", "/register", "/status"} {
		for _, n := range w.get(path).tags("meta") {
			if attr(n, "name") != "description" {
				continue
			}
			text := attr(n, "content")
			if other, taken := pages[text]; taken || text == "" {
				t.Errorf("%s says %q of itself, and so does %q", path, text, other)
			}
			pages[text] = path
		}
	}
}

// TestShareImages holds that networks get a picture that they can show.
func TestShareImages(t *testing.T) {
	w := startWebsite(t, page.Settings{PublicURL: "https://origami.example"})
	const crane, usual = "Crane, folded from paper", "A crane, folded from paper" // its name is Crane whatever its picture
	photo := "/api/images/" + strings.Repeat("0a", 32) + "-1279x961.jpg"
	for image, want := range map[string][3]string{
		"/static/origami/fox.svg":        {"https://origami.example/cards/fox.png", "1200", crane},
		"/api/images/ab12.png":           {"https://origami.example/images/ab12.png", "", crane},
		photo:                            {"https://origami.example/images/" + path.Base(photo), "1279", crane},
		"/api/images/" + upload + ".svg": {"https://origami.example/cards/" + upload + ".png", "1200", crane},
		"/api/images/ab12.svg":           {"https://origami.example/cards/crane.png", "1200", usual},
		"https://evil.example/x.png":     {"https://origami.example/cards/crane.png", "1200", usual},
		"/static/origami/../../x.svg":    {"https://origami.example/cards/crane.png", "1200", usual},
		"/api/images/../../etc/pwd.png":  {"https://origami.example/cards/crane.png", "1200", usual},
	} {
		w.products[0]["image_url"] = image
		tags := openGraphTags(w.get("/origamis/1"))
		check(t, image, [3]string{tags["og:image"], tags["og:image:width"], tags["og:image:alt"]}, want)
		wantType := map[string]string{".jpg": "image/jpeg", ".png": "image/png"}[path.Ext(want[0])]
		check(t, image, tags["og:image:type"], wantType)
	}
}

// TestNobodysHostIsBelieved holds that without a setting only this machine's own
// names stand in an address.
func TestNobodysHostIsBelieved(t *testing.T) {
	w := startWebsite(t)
	for host, want := range map[string]string{
		"localhost:3000": "http://localhost:3000/origamis/1", "localhost": "http://localhost/origamis/1",
		"127.0.0.1:80": "http://127.0.0.1:80/origamis/1",
		"[::1]:3000":   "http://[::1]:3000/origamis/1", "evil.example": "", "localhost.evil.example": "", "10.0.0.1": "",
		"":                            "",
		"localhost:3000@evil.example": "", "localhost:99999999": "", "evil.example:localhost": "",
	} {
		a := w.get("/origamis/1", func(r *http.Request) { r.Host = host })
		if host == "" || a.status == http.StatusBadRequest {
			continue // refused before it is read, or filled in by the client
		}
		tags := openGraphTags(a)
		if tags["canonical"] != want || tags["og:url"] != want || (tags["og:image"] == "") != (want == "") ||
			strings.Contains(a.body, "evil.example") {
			t.Errorf("%s: %v", host, tags)
		}
		if got := text(a.class("share-address")); want == "" && got != "/origamis/1" || want != "" && got != want {
			t.Errorf("%s: the address is shown as %q", host, got)
		}
	}
	secure := newWebsite(t, page.Settings{Secure: true})
	check(t, "over https", openGraphTags(secure.get("/origamis/1"))["og:url"], begins("https://127.0.0.1:"))
}

// upload is the name of a drawing that a curator gave, noDrawing of one that cannot be drawn.
var upload, noDrawing = strings.Repeat("a0", 32), strings.Repeat("b1", 32)

func TestCardsOfUploads(t *testing.T) {
	w := startWebsite(t)
	own, crane := w.get("/cards/"+upload+".png"), w.get("/cards/crane.png")
	own.check(t, "an upload", 200, own.header.Get("Content-Type"), "image/png", own.body == crane.body, false,
		own.header.Get("Cache-Control"), "public, max-age=86400")
	picture, err := png.Decode(strings.NewReader(own.body))
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := picture.At(card.Width/2, card.Height/2).RGBA(); r != 0 || g != 0 || b != 0xffff {
		t.Errorf("the middle is %x %x %x, want blue", r, g, b)
	}
	check(t, "one that cannot be drawn", w.get("/cards/"+noDrawing+".png").body == crane.body, true)
	w.get("/cards/"+strings.Repeat("c2", 32)+".png").check(t, "one that is not there", 404)
	w.get("/cards/ab12.png").check(t, "a short name", 404)
}

func TestCards(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/cards/heart.png")
	picture, err := png.Decode(bytes.NewReader([]byte(a.body)))
	if err != nil || picture.Bounds().Dx() != card.Width || picture.Bounds().Dy() != card.Height || len(a.body) > 100<<10 {
		t.Fatalf("%d, %d bytes, %v", a.status, len(a.body), err)
	}
	r, g, b, _ := picture.At(card.Width/2, card.Height/2).RGBA()
	if r <= g || r <= b {
		t.Errorf("the heart is not red but %x %x %x", r>>8, g>>8, b>>8)
	}
	check(t, "the answer", a.header.Get("Content-Type"), "image/png",
		a.header.Get("Cache-Control"), "public, max-age=86400")
	for _, file := range []string{"unicorn.png", "heart.svg", "heart", ".png", "..%2Fheart.png", "heart.png%00"} {
		w.get("/cards/"+file).check(t, file, 404)
	}
}
