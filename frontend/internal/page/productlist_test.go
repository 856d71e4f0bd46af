package page_test

import (
	"net/http"
	"net/url"
	"testing"

	"golang.org/x/net/html"
)

// curatorPaths are the pages for curators, by method and path.
func curatorPaths() [][2]string {
	return [][2]string{
		{"GET", "/admin/pieces"}, {"GET", "/admin/pieces/new"}, {"POST", "/admin/pieces/new"},
		{"GET", "/admin/pieces/1/edit"},
		{"POST", "/admin/pieces/1/edit"}, {"GET", "/admin/pieces/1/delete"}, {"POST", "/admin/pieces/1/delete"},
	}
}

func TestTheCatalogueIsForCurators(t *testing.T) {
	w := startWebsite(t)
	for _, row := range curatorPaths() {
		a := w.do(row[0], row[1], nil)
		back := row[1]
		if row[0] == http.MethodPost {
			back = "/account"
		}
		a.check(t, row[0]+" "+row[1], 303, a.header.Get("Location"), "/login?"+(url.Values{"next": {back}}).Encode())
		a = w.do(row[0], row[1], nil, w.here("user"))
		a.check(t, row[0]+" "+row[1], 403, text(a.tags("h1")[0]), "Not allowed",
			text(a.class("lead")), "Only curators and admins can open this page.")
	}
	check(t, "something was changed", w.uploads == nil, true, len(w.products), 3, w.versions["1"], 0)
	for role, want := range map[string]string{"user": "", "curator": "/admin/pieces/1/edit",
		"admin": "/admin/pieces/1/edit"} {
		link := w.get("/origamis/1", w.here(role)).first(func(n *html.Node) bool {
			return n.Data == "a" && text(n) == "Edit this piece"
		})
		check(t, role, attr(link, "href"), want)
	}
}

func TestProductList(t *testing.T) {
	w := startWebsite(t)
	w.products[1]["name"] = `<b>Fox</b> "&`
	a := w.get("/admin/pieces?q=a+%26b", w.here("curator"))
	got := append(texts(a, "li", "shelf-row"), attr(a.id("q"), "value"), attr(a.class("more").FirstChild, "href"))
	want := []string{
		"Crane 41 votes · updated 2 January 2026 Edit Crane Delete Crane",
		`<b>Fox</b> "& 1 vote · updated 2 January 2026 Edit <b>Fox</b> "& Delete <b>Fox</b> "&`,
		"a &b", "/admin/pieces?cursor=two%3D&q=a+%26b",
	}
	a.check(t, "the page", 200, got, want, a.body, lacks("<b>Fox"))
	check(t, "asked", w.listed, []url.Values{
		{"cursor": {""}, "difficulty": {""}, "limit": {"25"}, "q": {"a &b"}, "sort": {"name"}},
	})
	last := w.get("/admin/pieces?cursor=two%3D", w.here("admin"))
	check(t, "the last page", len(texts(last, "li", "shelf-row")), 1, text(last.class("the-end")), "No more pieces.")
	w.get("/admin/pieces?cursor=x", w.here("admin")).check(t, "a cursor that is none", 400)
	w.products = w.products[:2]
	a = w.get("/admin/pieces?cursor=two%3D", w.here("admin"))
	a.check(t, "no product", 200, text(a.class("away-heading")), "No pieces found")
}

func TestProductListSaysWhatWasDone(t *testing.T) {
	w := startWebsite(t)
	for query, want := range map[string][2]string{
		"done=added&piece=1":    {"Crane was added to the gallery. See it in the gallery", "/origamis/1"},
		"done=saved&piece=2":    {"Fox was saved. See it in the gallery", "/origamis/2"},
		"done=saved&piece=77":   {"The piece was saved. See it in the gallery", "/origamis/77"},
		"done=deleted&piece=1":  {"The piece was deleted.", ""},
		"done=saved&piece=-1":   {"", ""},
		"done=saved&piece=x/..": {"", ""},
		"done=<b>&piece=1":      {"", ""},
		"":                      {"", ""},
	} {
		a := w.get("/admin/pieces?"+query, w.here("curator"))
		got := [2]string{text(a.id("done")), ""}
		if said := a.id("done"); said != nil {
			for n := range elements(said) {
				got[1] = attr(n, "href")
			}
			check(t, query, attr(said, "tabindex"), "-1")
		}
		a.check(t, query, 200, got, want)
	}
}

func TestCurationWhileTheCatalogueIsAway(t *testing.T) {
	w := startWebsite(t)
	w.get("/account", w.here("curator")) // auth's keys are known
	w.product.failure.Store(broken)
	a := w.get("/admin/pieces?done=saved&piece=1", w.here("curator"))
	a.check(t, "the list", 200, text(a.class("away-heading")), "The gallery is not available",
		text(a.id("done")) != "", true)
	a = w.get("/admin/pieces/new", w.here("curator"))
	a.check(t, "a new piece's form", 200, a.id("piece-form") != nil, true)
	for _, path := range []string{"/admin/pieces/1/edit", "/admin/pieces/1/delete"} {
		a := w.get(path, w.here("curator"))
		a.check(t, path, 503, text(a.tags("h1")[0]), "Not available right now")
	}
	a = w.postProduct("/admin/pieces/new", heron(), w.here("curator"))
	a.check(t, "saving", 503, text(a.id("piece-problem")), has("try again"), attr(a.id("name"), "value"), "Heron")
	a = w.postProduct("/admin/pieces/new", heron(), w.here("curator"), w.byHtmx("/admin/pieces/new"))
	a.check(t, "saving by htmx", 503, text(a.class("notice")), has("try again"), a.id("piece-form") == nil, true)
}

func TestRemoval(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/admin/pieces/1/delete", w.here("curator"))
	form := a.id("removal")
	a.check(t, "the page", 200, text(a.tags("h1")[0]), "Delete Crane ?", attr(form, "action"), "/admin/pieces/1/delete",
		attr(form, "method"), "post")
	tag := url.Values{"tag": {`"0-41-a"`}}
	w.versions["1"] = 1
	for name, how := range w.ways("/admin/pieces/1/delete") {
		a = w.post("/admin/pieces/1/delete", tag, w.here("curator"), how)
		a.check(t, name+": a product that changed", 412, text(a.id("removal-problem")), has("has changed this piece"),
			attr(a.tags("input")[0], "value"), `"1-41-a"`, len(a.tags("header")) == 0, name == "htmx")
	}
	for name, tag := range map[string]string{"nothing": "", "anything": "*", "no tag": "1-41-a",
		"a header": "\"1\"\r\nX: y\""} {
		w.post("/admin/pieces/1/delete", url.Values{"tag": {tag}}, w.here("curator")).check(t, name, 400)
	}
	for _, how := range w.ways("/admin/pieces/1/delete") { // twice: the second finds it gone
		a = w.post("/admin/pieces/1/delete", url.Values{"tag": {`"1-41-a"`}}, w.here("curator"), how)
		check(t, "deleted", a.header.Get("Location")+a.header.Get("HX-Redirect"), "/admin/pieces?done=deleted&piece=1")
	}
	w.get("/admin/pieces/1/delete", w.here("curator")).check(t, "asking for what is gone", 404)
}
