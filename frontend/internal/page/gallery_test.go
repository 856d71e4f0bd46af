package page_test

import (
	"net/http"
	"strings"
	"testing"

	"craftista/frontend/internal/page"
)

func TestGallerySignedOut(t *testing.T) {
	w := startWebsite(t, page.Settings{TraceURLTemplate: "http://localhost:16686/trace/{id}"})
	a := w.get("/")
	a.check(t, "the page", 200,
		text(a.tags("title")[0]), "Craftista, an origami gallery",
		text(a.id("today-heading")), "Crane",
		text(a.id("picks-heading")), "Loved by many",
		text(a.class("eyebrow")), "Piece of the day Sunday 22 November, UTC",
		text(a.class("reason")), "loved by many",
		text(a.count("1")), "41 votes",
		text(a.id("vote-1")), "41 votes Vote for Crane",
		attr(a.id("vote-1"), "action"), "/origamis/1/vote",
		attr(a.id("vote-1"), "hx-post"), "/origamis/1/vote",
		attr(a.id("vote-button-1"), "class"), "vote-button",
		text(a.id("piece-2")), "Fox Advanced 1 vote Vote for Fox",
		text(a.id("piece-3")), "",
		attr(a.id("more-link"), "href"), "/?cursor=two%3D",
		attr(a.id("more-link"), "hx-get"), "/?cursor=two%3D",
		text(a.class("site-nav")), "Gallery Today Status Sign in Join",
		text(a.id("announcer")), "",
		text(a.class("trace")), "See this request "+a.header.Get("Trace-Id"),
		attr(a.class("trace").FirstChild, "href"), "http://localhost:16686/trace/"+a.header.Get("Trace-Id"),
		markup(t, a.id("piece-1")), has(`src="/static/origami/crane.`))
	check(t, "the development script is in a plain page", a.body, lacks("/dev/reload"), a.body, lacks("js/reload"))
}

// TestEmptyGallery: the front page of a new installation says so, and nothing has failed.
func TestEmptyGallery(t *testing.T) {
	w := startWebsite(t, page.Settings{PublicURL: "https://origami.example"})
	w.product.ServeMux, w.recommendation.ServeMux = http.NewServeMux(), http.NewServeMux()
	nothing := func(*call) any { return []any{} }
	w.product.on("GET /api/products", nothing)
	w.recommendation.on("GET /api/recommendations", nothing)
	w.recommendation.on("GET /api/origami-of-the-day/archive", nothing)
	w.recommendation.on("GET /api/origami-of-the-day", func(*call) any {
		return refuse(http.StatusNotFound, "the gallery has no piece to choose from yet")
	})
	a := w.get("/")
	a.check(t, "the page", 200, text(a.class("lead")), "The gallery is empty so far. Its first piece will appear here.",
		text(a.class("the-end")), "There are no pieces here yet.", markup(t, a.id("picks")), has("hidden"))
	feed := w.bare(http.MethodGet, "/daily.atom")
	check(t, "the feed", feed.Code, 200, feed.Body.String(), lacks("<entry>"))
}

// TestTraceLink: it shows to those who can open it.
func TestTraceLink(t *testing.T) {
	t.Parallel()
	const here, elsewhere = "http://localhost:16686/trace/{id}", "https://traces.example/trace/{id}"
	atHost := func(host string) option { return func(r *http.Request) { r.Host = host } }
	for template, want := range map[string]map[string]bool{
		"":        {"nobody": false, "local": false, "curator": false},
		"{id}":    {"nobody": false, "local": false, "curator": false},
		here:      {"nobody": false, "local": true, "curator": false},
		elsewhere: {"nobody": false, "local": false, "user": false, "curator": true, "admin": true},
	} {
		w := newWebsite(t, page.Settings{TraceURLTemplate: template})
		for who, shown := range want {
			options := []option{atHost("origami.example")}
			switch who {
			case "nobody":
			case "local":
				options = []option{atHost("127.0.0.1:3000")}
			default:
				options = append(options, as(w.issuer.Mint(7, who)))
			}
			res := w.bare("GET", "/status", options...)
			link := strings.ReplaceAll(template, "{id}", res.Header().Get("Trace-Id"))
			got := link != "" && strings.Contains(res.Body.String(), `href="`+link+`"`)
			check(t, template+" "+who, got, shown, res.Body.String(), has(res.Header().Get("Trace-Id")))
		}
	}
}

func TestGallerySignedIn(t *testing.T) {
	w := startWebsite(t)
	w.mine[1] = true
	a := w.get("/", w.signedIn)
	a.check(t, "the page", 200,
		text(a.class("site-nav")), "Gallery Today Status Your account: person-7 Sign out",
		text(a.id("picks-heading")), "Picked for you",
		text(a.class("reason")), "chosen for you",
		text(a.id("vote-1")), "41 votes Voted for Crane, take the vote back",
		text(a.id("vote-2")), "1 vote Vote for Fox",
		attr(a.id("vote-1"), "action"), "/origamis/1/unvote")
}

func TestSorts(t *testing.T) {
	w := startWebsite(t)
	for query, want := range map[string]string{"": "Most loved", "?sort=newest": "Newest", "?sort=name": "By name",
		"?sort=nonsense": "Most loved"} {
		a := w.get("/" + query)
		for _, link := range a.tags("a") {
			if attr(link, "aria-current") == "true" && attr(link.Parent, "aria-label") == "Order of the pieces" {
				check(t, query, text(link), want)
			}
		}
	}
	check(t, "more", attr(w.get("/?sort=name").id("more-link"), "href"), "/?cursor=two%3D&sort=name")
}

func TestMore(t *testing.T) {
	w := startWebsite(t)
	whole := w.get("/?cursor=two%3D")
	part := w.get("/?cursor=two%3D", w.byHtmx("/"))
	whole.check(t, "the page", 200)
	part.check(t, "the fragment", 200, part.body, begins("<li"), part.body, lacks("<html"))
	check(t, "the page's card is not the fragment's", markup(t, whole.id("piece-3")), markup(t, part.id("piece-3")))
	check(t, "at the end", text(part.id("more-link")), "No more pieces.")
	check(t, "nothing is announced", part.body, has("1 more piece."))
	check(t, "a later page repeats the front", whole.id("today-heading") == nil, true, whole.id("picks") == nil, true,
		text(whole.tags("h1")[0]), "More pieces")
	check(t, "the answer", text(whole.id("vote-3")), "1,234,567 votes Vote for Whale")
	check(t, "a foreign picture is shown", markup(t, whole.id("piece-3")), lacks("evil.example"),
		markup(t, whole.id("piece-3")), has("/static/placeholder."))
	a := w.get("/?cursor=forged")
	a.check(t, "forged cursor", 400, text(a.tags("h1")[0]), "Bad request")
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
	a.check(t, "the page", 200,
		text(a.tags("title")[0]), "Crane · Craftista",
		text(a.tags("h1")[0]), "Crane",
		text(a.class("facts")), "Difficulty Easy Folds 22 Paper 15 cm square Maker Traditional",
		text(a.class("instructions")), "Folding instructions at example.org",
		attr(a.class("instructions").FirstChild, "href"), "https://www.example.org/crane?a=1&b=2",
		attr(a.class("instructions").FirstChild, "rel"), "nofollow noopener",
		text(a.id("vote-1")), "41 votes Vote for Crane", attr(a.id("vote-1"), "role"), "none",
		attr(a.tags("h1")[0], "dir"), "auto", attr(a.class("lead"), "dir"), "auto",
		attr(a.id("enlarge"), "href"), attr(a.tags("img")[0], "src"),
		text(a.id("enlarge")), "Larger picture:", attr(a.id("larger-picture"), "alt"), "Crane, folded from paper",
		attr(a.tags("img")[0], "alt"), "Crane, folded from paper")
	a = w.get("/origamis/2")
	check(t, "with nothing known", text(a.class("facts")), "Difficulty Advanced Folds 30 Paper 20 cm square",
		a.class("instructions") == nil, true)
	a = w.get("/origamis/3")
	check(t, "what is no web address is no link", text(a.class("facts")), has("Maker <i>Me</i>"),
		a.class("instructions") == nil, true)
	for _, path := range []string{"/origamis/99", "/origamis/0", "/origamis/-1", "/origamis/x", "/origamis/01",
		"/origamis/9223372036854775808", "/nowhere"} {
		a := w.get(path)
		a.check(t, path, 404, text(a.tags("h1")[0]), "Page not found")
	}
}
