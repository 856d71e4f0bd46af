package page_test

import (
	"net/http"
	"strings"
	"testing"

	"craftista/frontend/internal/page"

	"github.com/google/go-cmp/cmp"
)

func TestGallerySignedOut(t *testing.T) {
	w := startWebsite(t, page.Settings{TraceURLTemplate: "http://traces.example/trace/{id}"})
	a := w.get("/")
	if a.status != http.StatusOK {
		t.Fatalf("status %d", a.status)
	}
	got := map[string]string{
		"title": text(a.tags("title")[0]), "hero": text(a.id("today-heading")), "picks": text(a.id("picks-heading")),
		"day": text(a.class("eyebrow")), "reason": text(a.class("reason")), "count": text(a.class("votes-1")),
		"vote": text(a.id("vote-1")), "card": text(a.id("piece-2")), "more": attr(a.id("more-link"), "href"),
		"more by htmx": attr(a.id("more-link"), "hx-get"), "sign in": text(a.class("site-nav")),
		"unmatched": text(a.id("piece-3")),
		"posts to":  attr(a.id("vote-1"), "action"), "says": text(a.id("announcer")), "trace": text(a.class("trace")),
	}
	want := map[string]string{
		"title": "Craftista, an origami gallery", "hero": "Crane", "picks": "Loved by many",
		"day": "Piece of the day Sunday 22 November", "reason": "loved by many", "count": "41 votes",
		"vote": "41 votes Vote for Crane", "card": "Fox Advanced 1 vote Vote for Fox", "more": "/?cursor=two%3D",
		"more by htmx": "/?cursor=two%3D", "sign in": "Gallery Today Status Sign in Join", "unmatched": "",
		"posts to": "/origamis/1/vote", "says": "", "trace": "See this request " + a.header.Get("Trace-Id"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	link := a.class("trace").FirstChild
	check(t, "the answer", attr(link, "href"), "http://traces.example/trace/"+a.header.Get("Trace-Id"))
	check(t, "the development script is in a plain page", a.body, lacks("/dev/reload"), a.body, lacks("js/reload"))
	if art := a.id("piece-1"); !strings.Contains(markup(t, art), `src="/static/origami/crane.`) {
		t.Errorf("no hashed drawing in %s", markup(t, art))
	}
}

func TestGallerySignedIn(t *testing.T) {
	w := startWebsite(t)
	w.mine[2] = true
	a := w.get("/", w.signedIn)
	got := map[string]string{
		"person": text(a.class("site-nav")), "picks": text(a.id("picks-heading")), "reason": text(a.class("reason")),
		"not voted": text(a.id("vote-1")), "voted": text(a.id("vote-2")), "takes back": attr(a.id("vote-2"), "action"),
	}
	want := map[string]string{
		"person": "Gallery Today Status Your account: person-7 Sign out", "picks": "Picked for you",
		"reason":    "chosen for you",
		"not voted": "41 votes Vote for Crane", "voted": "1 vote Voted for Fox, take the vote back",
		"takes back": "/origamis/2/unvote",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSorts(t *testing.T) {
	w := startWebsite(t)
	for query, want := range map[string]string{"": "Most loved", "?sort=newest": "Newest", "?sort=name": "By name",
		"?sort=nonsense": "Most loved"} {
		a := w.get("/" + query)
		for _, link := range a.tags("a") {
			if attr(link, "aria-current") == "true" && text(link) != want {
				t.Errorf("%q: %s is current, want %s", query, text(link), want)
			}
		}
		if query == "?sort=name" && attr(a.id("more-link"), "href") != "/?cursor=two%3D&sort=name" {
			t.Errorf("more leads to %s", attr(a.id("more-link"), "href"))
		}
	}
}

func TestMore(t *testing.T) {
	w := startWebsite(t)
	whole := w.get("/?cursor=two%3D")
	part := w.get("/?cursor=two%3D", w.byHtmx("/"))
	if whole.status != http.StatusOK || part.status != http.StatusOK {
		t.Fatalf("status %d and %d", whole.status, part.status)
	}
	check(t, "the fragment is "+part.body, part.body, begins("<li"), part.body, lacks("<html"))
	check(t, "the page's card is not the fragment's", markup(t, whole.id("piece-3")), markup(t, part.id("piece-3")))
	check(t, "at the end", text(part.id("more-link")), "That is all of them, for now.")
	check(t, "nothing is announced", part.body, has("1 more piece."))
	check(t, "a later page repeats the front", whole.id("today-heading") == nil, true, whole.id("picks") == nil, true,
		text(whole.tags("h1")[0]), "More pieces")
	check(t, "the answer", text(whole.id("vote-3")), "1,234,567 votes Vote for Whale")
	check(t, "a foreign picture is shown", markup(t, whole.id("piece-3")), lacks("evil.example"),
		markup(t, whole.id("piece-3")), has("/static/placeholder."))
	a := w.get("/?cursor=forged")
	a.check(t, "forged cursor", 400, text(a.tags("h1")[0]), "That is knotted")
}

func TestWholePagesForHtmxNavigation(t *testing.T) {
	w := startWebsite(t)
	for _, extra := range [][2]string{{"HX-Boosted", "true"}, {"HX-History-Restore-Request", "true"},
		{"HX-Request-Type", "full"}} {
		a := w.get("/", w.byHtmx("/"), header(extra[0], extra[1]))
		check(t, extra[0], a.body, begins("<!doctype html>"), a.header.Get("Vary"), "HX-Request")
	}
}

func TestPicksFragment(t *testing.T) {
	w := startWebsite(t)
	part, whole := w.get("/recommendations", w.byHtmx("/"), w.signedIn), w.get("/", w.signedIn)
	check(t, "the page's picks are not the fragment's", markup(t, whole.id("picks")), markup(t, part.id("picks")))
	check(t, "the answer", attr(part.id("picks"), "hx-trigger"), "voted from:document")
	a := w.get("/recommendations")
	a.check(t, "without htmx", 303, a.header.Get("Location"), "/#picks")
}

func TestProduct(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/origamis/1")
	got := []string{text(a.tags("title")[0]), text(a.tags("h1")[0]), text(a.class("facts")), text(a.id("vote-1")),
		attr(a.tags("img")[0], "alt")}
	want := []string{"Crane · Craftista", "Crane", "Difficulty Easy Folds 22 Paper 15 cm square",
		"41 votes Vote for Crane", "Crane, folded from paper"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{"/origamis/99", "/origamis/0", "/origamis/-1", "/origamis/x", "/origamis/01",
		"/origamis/9223372036854775808", "/nowhere"} {
		a := w.get(path)
		a.check(t, path, 404, text(a.tags("h1")[0]), "It flew away")
	}
}

func TestHostileTextStaysText(t *testing.T) {
	w := startWebsite(t)
	const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>`
	w.products[0]["name"], w.products[0]["description"], w.products[0]["paper"], w.products[0]["image_url"] = hostile,
		hostile, hostile, "javascript:alert(3)"
	for _, path := range []string{"/", "/origamis/1", "/daily"} {
		a := w.get(path, w.signedIn) // checkMarkup looks for scripts
		check(t, path, text(a.id("vote-1")), "41 votes Vote for "+hostile)
		for _, img := range a.tags("img") {
			check(t, path, attr(img, "src"), begins("/static/"))
		}
	}
	a := w.post("/origamis/1/vote", nil, w.signedIn, w.byHtmx("/"))
	check(t, "unescaped", a.body, lacks("<script"), a.body, lacks("<img"))
	a = w.get(`/login?next=/x"><script>alert(1)</script>&why=<b>`)
	if got := attr(a.tags("input")[0], "value"); strings.ContainsAny(got, `"<>`) {
		t.Errorf("next is %q", got)
	}
}
