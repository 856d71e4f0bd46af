package page_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestSearchWithoutScripts(t *testing.T) {
	w := startWebsite(t)
	for path, want := range map[string][]string{
		"/?q=cra": {"“cra” · Craftista", "1 piece for “cra”", "cra", "Crane", "No more pieces.",
			"/?q=cra&sort=newest"},
		"/?q=on&sort=name": {"“on” · Craftista", "Pieces for “on”", "on", "Crane", "More pieces", "/?q=on&sort=newest"},
		"/?q=+++": {"Craftista, an origami gallery", "The gallery", "", "Crane", "More pieces",
			"/?sort=newest"},
		"/?q=%00CRA%09\xff&x=%3": {"“CRA” · Craftista", "1 piece for “CRA”", "CRA", "Crane", "No more pieces.",
			"/?q=CRA&sort=newest"},
	} {
		a := w.get(path)
		sorts := a.choices("Order of the pieces")
		got := []string{
			text(a.tags("title")[0]), text(a.id("gallery-heading")), attr(a.id("q"), "value"),
			text(a.id("piece-1").LastChild.FirstChild), text(a.id("more-link")), attr(sorts.FirstChild.NextSibling, "href"),
		}
		check(t, path, got, want)
		isFront := want[2] == ""
		check(t, path, a.id("today-heading") != nil, isFront, a.id("picks") != nil, isFront, len(a.tags("h1")), 1)
	}
	a := w.get("/?q=on&sort=name")
	check(t, "the answer", attr(a.id("more-link"), "href"), "/?cursor=two%3D&q=on&sort=name")
}

func TestSearchThatFindsNothing(t *testing.T) {
	w := startWebsite(t)
	const hostile = `"><script>alert(1)</script>`
	a := w.get("/?sort=name&q=" + url.QueryEscape(hostile)) // checkMarkup looks for scripts
	check(t, "the page", text(a.id("gallery-heading")), "No results for “"+hostile+"”", attr(a.id("q"), "value"), hostile,
		attr(a.class("nothing").LastChild.FirstChild, "href"), "/?sort=name")
	check(t, "nothing has an order and goes on", a.id("more") == nil, true, a.id("pieces") == nil, true,
		a.choices("Order of the pieces") == nil, true)
	a = w.get("/?q=" + strings.Repeat("é", 10_000))
	check(t, "the answer", attr(a.id("q"), "value"), strings.Repeat("é", 100), attr(a.id("q"), "maxlength"), "100")
	w.product.failure.Store(broken)
	a = w.get("/?q=cra")
	check(t, "with the catalogue away", text(a.id("gallery-heading")), "The gallery",
		attr(a.class("away").LastChild.LastChild.FirstChild, "href"), "/?q=cra", attr(a.id("q"), "value"), "cra")
}

// choices are the links of that name above the grid.
func (a answer) choices(name string) *html.Node {
	return a.first(func(n *html.Node) bool { return n.Data == "nav" && attr(n, "aria-label") == name })
}

// TestDifficulty: it is a link, and goes along with search, order and pages.
func TestDifficulty(t *testing.T) {
	w := startWebsite(t)
	for path, want := range map[string][]string{
		"/?difficulty=easy": {"Easy pieces · Craftista", "Easy pieces", "Easy", "/?difficulty=advanced"},
		"/?difficulty=easy&q=cra&sort=name": {
			"“cra”, easy · Craftista", "1 easy piece for “cra”", "Easy", "/?difficulty=advanced&q=cra&sort=name",
		},
		"/?difficulty=advanced&q=cra": {
			"“cra”, advanced · Craftista", "No advanced pieces for “cra”", "Advanced", "",
		},
		"/?difficulty=intermediate": {
			"Intermediate pieces · Craftista", "No intermediate pieces", "Intermediate", "/?difficulty=advanced",
		},
		"/?difficulty=odd": {"Craftista, an origami gallery", "The gallery", "All", "/?difficulty=advanced"},
	} {
		a := w.get(path)
		levels := a.choices("Difficulty")
		got := []string{text(a.tags("title")[0]), text(a.id("gallery-heading")), "", ""}
		for n := range elements(levels) {
			if attr(n, "aria-current") == "true" {
				got[2] = text(n)
			} else if text(n) == "Advanced" {
				got[3] = attr(n, "href")
			}
		}
		a.check(t, path, 200, got, want, text(levels), "All Easy Intermediate Advanced", len(a.tags("h1")), 1)
		check(t, path, a.id("today-heading") != nil, path == "/?difficulty=odd")
	}
	w.get("/?difficulty=advanced") // the paths above come in any order
	check(t, "asked", w.listed[len(w.listed)-1].Get("sort"), "-votes")
	a := w.get("/?difficulty=easy&q=on&sort=name")
	check(t, "more", attr(a.id("more-link"), "href"), "/?cursor=two%3D&difficulty=easy&q=on&sort=name",
		attr(a.choices("Order of the pieces").FirstChild, "href"), "/?difficulty=easy&q=on",
		attr(a.choices("Difficulty").FirstChild, "href"), "/?q=on&sort=name")
	hidden := map[string]string{}
	for n := range elements(a.id("search")) {
		if attr(n, "type") == "hidden" {
			hidden[attr(n, "name")] = attr(n, "value")
		}
	}
	check(t, "what goes along with a search", hidden, map[string]string{"sort": "name", "difficulty": "easy"})
	a = w.get("/?difficulty=easy&q=", w.byHtmx("/?difficulty=easy&q=cra"))
	check(t, "by htmx", text(a.tags("title")[0]), "Easy pieces · Craftista",
		a.header.Get("HX-Replace-Url"), "/?difficulty=easy")
}

// TestNothingToSearchFor: signs and emoji are no words, which the page says instead of showing all pieces.
func TestNothingToSearchFor(t *testing.T) {
	w := startWebsite(t)
	for _, query := range []string{"🦢", "!?", "👩🏽 ★"} {
		a := w.get("/?q=" + url.QueryEscape(query))
		a.check(t, query, 200, text(a.id("gallery-heading")), "Nothing to search for in “"+query+"”",
			text(a.class("nothing")), has("A search needs a letter or a digit."), len(w.listed), 0)
	}
	a := w.get("/?q="+url.QueryEscape("🦢"), w.byHtmx("/"))
	check(t, "by htmx", partials(a), has("#announcer: Nothing to search for in “🦢”.;"))
	w.get("/?q=" + url.QueryEscape("🦢 crane"))
	check(t, "asked", w.listed[0].Get("q"), "🦢 crane")
}

// TestSearchByHtmx: the address follows, and the first search is a step back.
func TestSearchByHtmx(t *testing.T) {
	w := startWebsite(t)
	for _, c := range []struct{ from, path, push, replace string }{
		{"/", "/?q=cra", "/?q=cra", ""},
		{"/?sort=name&show=24", "/?q=cra&sort=name", "/?q=cra&sort=name", ""},
		{"/?q=cr", "/?q=cra", "", "/?q=cra"},
		{"/?q=cra", "/?q=", "", "/"},
		{"/origamis/1", "/?q=cra", "", "/?q=cra"},
	} {
		a := w.get(c.path, w.byHtmx(c.from))
		a.check(t, c.path+" from "+c.from, 200, a.header.Get("HX-Push-Url"), c.push,
			a.header.Get("HX-Replace-Url"), c.replace, a.header.Get("Vary"), "HX-Request")
	}
	part, whole := w.get("/?q=cra", w.byHtmx("/")), w.get("/?q=cra")
	check(t, "the page's pieces are not the fragment's", markup(t, whole.id("pieces")), markup(t, part.id("pieces")))
	const want = "#front: Search the gallery; #search-note: ; #announcer: 1 piece for “cra”.; "
	check(t, "the answer", partials(part), want, text(part.tags("title")[0]), "“cra” · Craftista")
	part = w.get("/", w.byHtmx("/?q=cra"))
	check(t, "the front page", part.id("today-heading") != nil, true, partials(part), has("#announcer: The gallery."))
	w.product.failure.Store(broken)
	a := w.get("/?q=cra", w.byHtmx("/"))
	a.check(t, "away", 503, a.body, begins(`<span class="notice">`), a.header.Get("HX-Push-Url"), "")
}

// TestEndlessEnds: products come by themselves for a while, then by the button; and
// the address shows as many at once.
func TestEndlessEnds(t *testing.T) {
	w := startWebsite(t)
	for len(w.products) < 14 { // the fake's first page has two
		w.products = append(w.products, map[string]any{"id": len(w.products) + 1, "name": "Box", "image_url": "", "votes": 0})
	}
	for _, c := range []struct{ from, before, replace string }{
		{"/", "12", "/?show=24"},
		{"/?sort=name", "36", "/?show=48&sort=name"},
		{"/?show=48", "48", "/?show=60"},
		{"/?show=96", "96", "/?show=96"},
		{"/", "-1", "/?show=24"},
		{"/", "x", "/?show=24"},
		{"/origamis/3", "12", ""},
	} {
		a := w.get("/?cursor=two%3D&before="+c.before, w.byHtmx(c.from))
		check(t, c.from+" after "+c.before, a.header.Get("HX-Replace-Url"), c.replace, a.header.Get("HX-Push-Url"), "")
		check(t, c.from+" after "+c.before, partials(a), ends("#announcer: 12 more pieces. No more pieces.; "))
	}
	for show, want := range map[string]string{"": "12", "48": "48", "1": "12", "1000": "96", "x": "12"} {
		w.get("/?show=" + show)
		check(t, "show="+show, w.listed[len(w.listed)-1].Get("limit"), want)
	}
	for q, want := range map[string]string{"12": "click, intersect rootMargin:600px", "47": "click"} {
		before, _ := strconv.Atoi(q)
		a := w.get("/?q=on&cursor=x&before="+q, w.byHtmx("/?q=on"))
		check(t, "after "+q, attr(a.id("more-link"), "hx-trigger"), want, attr(a.id("more-link"), "hx-vals"),
			"before:"+strconv.Itoa(before+2))
	}
}
