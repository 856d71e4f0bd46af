package page_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

const wantPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; " +
	"connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"

func TestHeadersOnEveryRoute(t *testing.T) {
	w := startWebsite(t)
	want := map[string]string{
		"Content-Security-Policy": wantPolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Permissions-Policy":         "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Strict-Transport-Security": "",
	}
	hold := func(what string, a answer) {
		for name, value := range want {
			check(t, what, a.header.Get(name), value)
		}
		check(t, what, len(a.header.Get("Trace-Id")), 32, a.header.Get("Cache-Control") != "", true)
		if a.doc != nil {
			check(t, what, a.header.Get("Cache-Control"), "private, no-store", a.header.Get("Vary"), "HX-Request",
				a.header.Get("Content-Type"), "text/html; charset=utf-8")
		}
	}
	for _, r := range append(w.everyRoute(), route{"GET", "/nowhere", ""}, route{"GET", "/static/css/site.css", ""}) {
		if r.path == "/docs" {
			continue // see TestDocs
		}
		want["Referrer-Policy"] = "same-origin"
		if r.method == http.MethodGet && (r.path == "/reset" || r.path == "/confirm") { // they have a token in the address
			want["Referrer-Policy"] = "no-referrer"
		}
		hold(r.method+" "+r.path, w.do(r.method, r.path, nil))
		if r.method == http.MethodGet {
			whole, head := w.get(r.path), w.do(http.MethodHead, r.path, nil)
			hold("HEAD "+r.path, head)
			head.check(t, "HEAD "+r.path, whole.status, head.body, "", head.header.Get("Content-Type"),
				whole.header.Get("Content-Type"))
		}
	}
	secure := w.bare("GET", "/", overTLS).Header()
	check(t, "over https", secure.Get("Strict-Transport-Security"), "max-age=31536000; includeSubDomains")
}

func TestMethods(t *testing.T) {
	w := startWebsite(t)
	for _, r := range w.everyRoute() {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if slices.Contains(strings.Split(r.allow, ", "), method) {
				continue
			}
			a := w.do(method, r.path, nil)
			a.check(t, method+" "+r.path, http.StatusMethodNotAllowed, a.header.Get("Allow"), r.allow)
			isProblem := strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json")
			check(t, method+" "+r.path, isProblem, a.doc == nil)
		}
	}
	check(t, "405 page", text(w.do("DELETE", "/origamis/1", nil).tags("h1")[0]), "Not possible")
}

// origin is where a request comes from, as its headers tell.
type origin struct {
	name    string
	headers []option
	refused bool
}

func (w *website) origins() []origin {
	return []origin{
		{"cross-site", []option{header("Sec-Fetch-Site", "cross-site")}, true},
		{"same-site, another host", []option{header("Sec-Fetch-Site", "same-site")}, true},
		{"an old browser", []option{header("Origin", "https://evil.example")}, true},
		{"an opaque origin", []option{header("Origin", "null")}, true},
		{"same-origin", []option{header("Sec-Fetch-Site", "same-origin")}, false},
		{"typed by hand", []option{header("Sec-Fetch-Site", "none")}, false},
		{"an old browser here", []option{header("Origin", w.site.URL)}, false},
		{"no browser", nil, false},
	}
}

// TestCrossOriginPostsAreRefused for the reason told; every other route is held to it
// by TestNoRouteTakesOrdersFromElsewhere.
func TestCrossOriginPostsAreRefused(t *testing.T) {
	w := startWebsite(t)
	for _, c := range w.origins() {
		a := w.post("/origamis/1/vote", nil, append(slices.Clone(c.headers), w.signedIn)...)
		check(t, c.name, a.status == http.StatusForbidden, c.refused, w.mine[1], !c.refused)
		if c.refused {
			check(t, c.name, text(a.tags("h1")[0]), "Not allowed", text(a.class("lead")), has("another site"))
		}
		clear(w.mine)
	}
	w.get("/", header("Sec-Fetch-Site", "cross-site")).check(t, "a link from elsewhere", 200)
}

func TestBadCookieSignsOut(t *testing.T) {
	w := startWebsite(t)
	for _, bad := range w.issuer.Bads() {
		if strings.ContainsRune(bad.Token, 0) {
			continue // no cookie can carry it
		}
		a := w.get("/", as(bad.Token))
		a.check(t, bad.Name, 200,
			text(a.class("site-nav")), "Gallery Today Status Sign in Join",
			text(a.id("picks-heading")), "Loved by many",
			text(a.id("vote-1")), "41 votes Vote for Crane",
			a.header.Get("Set-Cookie"), "")
	}
}
