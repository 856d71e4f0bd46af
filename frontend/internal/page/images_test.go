package page_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestImage(t *testing.T) {
	w := startWebsite(t)
	for name, media := range map[string]string{"crane.svg": "image/svg+xml", "crane.png": "image/png",
		"crane.jpg": "image/jpeg",
		"large.png": "image/png"} {
		a := w.get("/images/" + name)
		a.check(t, name, 200, a.body != "", true)
		for header, want := range map[string]string{
			"Content-Type": media, "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
			"Content-Security-Policy":      "default-src 'none'; style-src 'unsafe-inline'; sandbox",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			check(t, name+", "+header, a.header.Values(header), []string{want})
		}
		w.get("/images/"+name, header("If-None-Match", a.header.Get("ETag"))).check(t, name+" with its tag", 304)
	}
}

func TestImagesThatAreNotHandedOn(t *testing.T) {
	w := startWebsite(t)
	for _, name := range []string{"missing.svg", "page.svg", "none.svg", "huge.png"} {
		a := w.get("/images/" + name)
		a.check(t, name, 404, a.body, lacks("alert(1)"), a.header.Get("Content-Security-Policy"), wantPolicy)
	}
	asked := w.product.asked.Load()
	for _, name := range []string{"..%2Fproducts", "%2e%2e", ".hidden", "a%20b", "a%00b", "crane.svg%3Fx=1",
		"crane%2Esvg%23", "ü.svg", ""} {
		w.get("/images/"+name).check(t, name, 404)
	}
	check(t, "the answer", w.product.asked.Load(), asked)
	for _, name := range []string{"cut.png", "moved.png"} {
		a := w.get("/images/" + name)
		a.check(t, name, 503, a.header.Get("Cache-Control"), "private, no-store")
	}
}

func TestPicturesOfProducts(t *testing.T) {
	w := startWebsite(t)
	for from, want := range map[string]string{
		"/api/images/crane.png":          "/images/crane.png",
		"/api/images/../products":        "/static/placeholder.",
		"/api/images/.png":               "/api/images/.png", // a path of this site, where nothing is
		"/api/images/a\"onerror=":        "/static/placeholder.",
		"https://x.example/api/images/x": "/static/placeholder.",
		"javascript:alert(1)":            "/static/placeholder.",
	} {
		w.products[0]["image_url"] = from
		check(t, from, attr(w.get("/origamis/1").tags("img")[0], "src"), begins(want))
	}
}

// TestPhotos: a page says how large one is, so that nothing moves when it arrives, and
// lets the browser choose among its copies.
func TestPhotos(t *testing.T) {
	w := startWebsite(t)
	base := strings.Repeat("0a", 32) + "-1279x961"
	w.products[0]["image_url"] = "/api/images/" + base + ".jpg"
	for _, path := range []string{"/", "/origamis/1"} {
		a := w.get(path)
		i := slices.IndexFunc(a.tags("img"), func(n *html.Node) bool { return strings.HasSuffix(attr(n, "src"), ".jpg") })
		if i < 0 {
			t.Fatalf("%s has no photo", path)
		}
		img := a.tags("img")[i]
		got := []string{attr(img, "src"), attr(img, "width"), attr(img, "height"), attr(img, "srcset")}
		check(t, path, got, []string{"/images/" + base + ".jpg", "1279", "961",
			"/images/" + base + "-4.jpg 320w, /images/" + base + "-2.jpg 640w, /images/" + base + ".jpg 1279w"},
			attr(img, "sizes"), has("vw"),
			slices.Contains(img.Parent.Attr, html.Attribute{Key: "data-photo"}), true)
	}
	for _, odd := range []string{"-12x9.svg", "-12x9-2.jpg", "-12345x9.jpg", "-x9.jpg", ".jpg"} {
		w.products[0]["image_url"] = "/api/images/" + strings.Repeat("0", 64) + odd
		check(t, odd, w.get("/origamis/1").body, lacks("srcset"))
	}
}
