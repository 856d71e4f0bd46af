package page_test

import (
	"net/http"
	"net/url"
	"testing"
)

// TestEveryRouteKeepsTheContract sees each documented operation succeed; all
// other tests hold what they ask for to the document too, see newWorld.
func TestEveryRouteKeepsTheContract(t *testing.T) {
	w := startWebsite(t)
	signedIn, htmx := w.signedIn, w.byHtmx("/")
	for _, r := range append(w.everyRoute(), route{path: "/static/icon.svg"}, route{path: "/static/css/site.css"},
		route{path: "/images/crane.svg"}, route{path: "/cards/heart.png"}) {
		if (r.method == "" || r.method == http.MethodGet) && r.path != "/recommendations" {
			w.get(r.path)
		}
	}
	w.get("/recommendations", htmx)
	w.do(http.MethodHead, "/live?ids=1", nil)
	w.post("/login", ada(), htmx)
	w.post("/register", ada("email", "a@b.example"), htmx)
	w.post("/logout", nil, htmx)
	w.get("/authorize?"+asking, signedIn)
	w.post("/authorize", decision(asking, "allow"), signedIn)
	w.post("/origamis/1/vote", nil, signedIn, htmx)
	w.post("/origamis/1/unvote", nil, signedIn, htmx)
	w.post("/api/origamis/1/vote", nil, signedIn)
	admin := w.here("admin")
	for _, path := range []string{"/account", "/account/votes", "/admin", "/admin/people"} {
		w.get(path, admin)
	}
	w.post("/forgot", url.Values{"email": {"a@b.example"}})
	w.post("/reset", url.Values{"token": {"t0k3n"}, "new_password": {"close sesame please"}})
	w.post("/confirm", url.Values{"token": {"t0k3n"}})
	w.post("/account/email", url.Values{"email": {"a@b.example"}, "email_password": {"open sesame please"}}, admin)
	w.post("/account/email/verification", nil, admin)
	w.post("/admin/people/8/reset", url.Values{}, admin)
	w.post("/account/password", passwords("open sesame please", "close sesame please"), admin)
	w.post("/account/sessions/4/end", nil, admin, htmx)
	w.post("/account/sessions/end-others", nil, admin)
	w.post("/admin/people/8/role", url.Values{"role": {"curator"}}, admin, htmx)
	w.post("/admin/people/8/disabled", url.Values{"disabled": {"true"}}, admin)
	for _, path := range []string{"/admin/pieces", "/admin/pieces/new", "/admin/pieces/1/edit", "/admin/pieces/1/delete"} {
		w.get(path, admin)
	}
	w.postProduct("/admin/pieces/new", heron(), admin, htmx)
	w.postProduct("/admin/pieces/2/edit", heron("tag", `"0-1-a"`), admin)
	w.post("/admin/pieces/2/delete", url.Values{"tag": {`"1-1-a"`}}, admin, htmx)
	w.get("/account/export", admin)
	w.get("/account/delete", admin)
	w.post("/account/delete", url.Values{"password": {"close sesame please"}}, admin)
	w.post("/account/sessions/end-all", nil, admin, htmx)
	w.contract.AssertCovered()
}

// TestDocs holds that the page has its style and that its policy lets it: the
// only one here that differs from the site's.
func TestDocs(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/docs")
	const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
	a.check(t, "the answer", 200, len(a.header.Values("Content-Security-Policy")), 1,
		a.header.Values("Content-Security-Policy")[0], policy)
	check(t, "the answer", len(a.tags("style")), 1, text(a.tags("h1")[0]), "Craftista frontend")
	for _, want := range []string{"/origamis/{id}/vote", "/api/service-status", "/static/{folder}/{file}"} {
		check(t, "the page lacks "+want, a.body, has(want))
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Cache-Control": "public, max-age=300"} {
		check(t, name, a.header.Get(name), want)
	}
	check(t, "the gallery links /docs", w.get("/").body, lacks("/docs"))
}
