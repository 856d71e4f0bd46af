package page_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

const wantPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"

// route is one address of the site as the table of routes has it.
type route struct{ method, path, allow string }

func routes() []route {
	const read, write, both = "GET, HEAD", "POST", "GET, HEAD, POST"
	return []route{
		{"GET", "/", read}, {"GET", "/recommendations", read}, {"GET", "/live", read}, {"GET", "/origamis/1", read},
		{"GET", "/daily", read},
		{"POST", "/origamis/1/vote", write}, {"POST", "/origamis/1/unvote", write}, {"POST", "/logout", write},
		{"GET", "/login", both}, {"GET", "/register", both}, {"POST", "/login", both}, {"POST", "/register", both},
		{"GET", "/authorize", both}, {"POST", "/authorize", both},
		{"GET", "/account", read}, {"GET", "/account/votes", read}, {"POST", "/account/password", write},
		{"POST", "/account/sessions/4/end", write},
		{"POST", "/account/sessions/end-others", write}, {"POST", "/account/sessions/end-all", write},
		{"GET", "/admin", read}, {"GET", "/admin/people", read}, {"POST", "/admin/people/8/role", write},
		{"POST", "/admin/people/8/disabled", write},
		{"GET", "/admin/pieces", read}, {"GET", "/admin/pieces/new", both}, {"POST", "/admin/pieces/new", both},
		{"GET", "/admin/pieces/1/edit", both}, {"POST", "/admin/pieces/1/edit", both},
		{"GET", "/admin/pieces/1/delete", both}, {"POST", "/admin/pieces/1/delete", both},
		{"GET", "/status", read}, {"GET", "/api/products", read}, {"GET", "/api/origamis/1/votes", read},
		{"POST", "/api/origamis/1/vote", write}, {"GET", "/api/service-status", read}, {"GET", "/daily-origami", read},
		{"GET", "/recommendation-status", read}, {"GET", "/votingservice-status", read}, {"GET", "/auth/status", read},
		{"GET", "/livez", read}, {"GET", "/readyz", read}, {"GET", "/health", read}, {"GET", "/api/system-info", read},
		{"GET", "/static/css/site.css", read}, {"GET", "/cards/heart.png", read}, {"GET", "/favicon.ico", read},
		{"GET", "/robots.txt", read},
		{"GET", "/openapi.json", read},
	}
}

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
		if len(a.header.Get("Trace-Id")) != 32 || a.header.Get("Cache-Control") == "" {
			t.Errorf("%s: Trace-Id %q, Cache-Control %q", what, a.header.Get("Trace-Id"), a.header.Get("Cache-Control"))
		}
		if a.doc != nil && (a.header.Get("Cache-Control") != "private, no-store" || a.header.Get("Vary") != "HX-Request" ||
			a.header.Get("Content-Type") != "text/html; charset=utf-8") {
			t.Errorf("%s: a page with %v", what, a.header)
		}
	}
	for _, r := range append(routes(), route{"GET", "/nowhere", ""}, route{"GET", "/static/nothing.css", ""}) {
		hold(r.method+" "+r.path, w.do(r.method, r.path, nil))
		if r.method == http.MethodGet {
			whole, head := w.get(r.path), w.do(http.MethodHead, r.path, nil)
			hold("HEAD "+r.path, head)
			head.check(t, "HEAD "+r.path, whole.status, head.body, "", head.header.Get("Content-Type"),
				whole.header.Get("Content-Type"))
		}
	}
	check(t, "over https", w.overTLS("/").Get("Strict-Transport-Security"), "max-age=31536000; includeSubDomains")
}

func TestMethods(t *testing.T) {
	w := startWebsite(t)
	for _, r := range routes() {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if slices.Contains(strings.Split(r.allow, ", "), method) {
				continue
			}
			a := w.do(method, r.path, nil)
			a.check(t, method+" "+r.path, http.StatusMethodNotAllowed, a.header.Get("Allow"), r.allow)
			script := strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json")
			if page := a.doc != nil; page == script {
				t.Errorf("%s %s: Content-Type %q", method, r.path, a.header.Get("Content-Type"))
			}
		}
	}
	check(t, "405 page", text(w.do("DELETE", "/origamis/1", nil).tags("h1")[0]), "Wrong jump")
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

func TestCrossOriginPostsAreRefused(t *testing.T) {
	w := startWebsite(t)
	for _, c := range w.origins() {
		for _, path := range []string{"/login", "/register", "/logout", "/authorize", "/origamis/1/vote",
			"/origamis/1/unvote", "/api/origamis/1/vote", "/account/sessions/end-others"} {
			a := w.post(path, ada("email", "x@y.example"), append(slices.Clone(c.headers), w.signedIn)...)
			check(t, c.name+" to "+path, a.status == http.StatusForbidden, c.refused)
			if c.refused && path != "/api/origamis/1/vote" && text(a.tags("h1")[0]) != "Not through this gate" {
				t.Errorf("%s to %s: %s", c.name, path, a.body)
			}
			if c.refused && a.header.Get("Set-Cookie") != "" {
				t.Errorf("%s to %s: sets a cookie", c.name, path)
			}
		}
		if w.mine[1] == c.refused && !c.refused {
			t.Errorf("%s: no vote", c.name)
		}
		if c.refused && len(w.mine) != 0 {
			t.Errorf("%s: a vote was counted", c.name)
		}
		w.mu.Lock()
		clear(w.mine)
		w.mu.Unlock()
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
		got := []string{text(a.class("site-nav")), text(a.id("picks-heading")), text(a.id("vote-1")),
			a.header.Get("Set-Cookie")}
		want := []string{"Gallery Today Status Sign in Join", "Loved by many", "41 votes Vote for Crane", ""}
		a.check(t, bad.Name, 200, got, want)
	}
}
