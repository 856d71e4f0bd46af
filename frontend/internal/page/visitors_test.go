package page_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/frontend/internal/page"
)

const anHour = time.Hour // in which a test changes what is behind the site

func asked(w *website) [2]int32 {
	return [2]int32{w.product.asked.Load(), w.recommendation.asked.Load()}
}

// TestVisitorsShareTheFrontPage and each finds the name of their own trace in it.
func TestVisitorsShareTheFrontPage(t *testing.T) {
	w := startWebsite(t, page.Settings{CacheTTL: anHour, TraceURLTemplate: "http://localhost:16686/trace/{id}",
		PublicURL: "https://origami.example"})
	first := w.get("/")
	w.bare("GET", "/") // by another host, which has a page of its own
	before := asked(w)
	w.products[0]["votes"] = 99
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			a := w.get("/")
			id := a.header.Get("Trace-Id")
			check(t, "the page names another's trace", strings.Count(a.body, id), 2, a.body, lacks(first.header.Get("Trace-Id")))
			check(t, "the page is another", strings.ReplaceAll(a.body, id, ""), strings.ReplaceAll(first.body,
				first.header.Get("Trace-Id"), ""))
			zipped := w.bare("GET", "/", header("Accept-Encoding", "gzip"), func(r *http.Request) {
				r.Host = strings.TrimPrefix(w.site.URL, "http://")
			})
			unzipped := unzip(t, zipped)
			check(t, "compressed", strings.Count(unzipped, zipped.Header().Get("Trace-Id")), 2, len(unzipped), len(first.body))
		})
	}
	wg.Wait()
	check(t, "the services were asked again", before, asked(w))
	for _, name := range []string{"Content-Security-Policy", "Cache-Control", "Content-Type", "Vary",
		"X-Content-Type-Options"} {
		if a := w.get("/"); a.header.Get(name) == "" || a.header.Get(name) != first.header.Get(name) {
			t.Errorf("%s: %q, at first %q", name, a.header.Get(name), first.header.Get(name))
		}
	}
	if head := w.bare("HEAD", "/"); head.Code != http.StatusOK || head.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %d %v", head.Code, head.Header())
	}
}

// TestWhatVisitorsDoNotShare is everything that another URL, host or person has.
func TestWhatVisitorsDoNotShare(t *testing.T) {
	w := startWebsite(t, page.Settings{CacheTTL: anHour})
	w.get("/")
	check(t, "another person got a visitor's picks", text(w.get("/", as(w.issuer.Mint(8, "user"))).class("reason")),
		"chosen for you")
	w.mine[2] = true
	signedIn := w.get("/", w.signedIn)
	check(t, "a person got a visitor's page", text(signedIn.id("picks-heading")), "Picked for you",
		text(signedIn.id("vote-2")), "1 vote Voted for Fox, take the vote back")
	for name, a := range map[string]answer{"a visitor": w.get("/"), "at the end of a session": w.get("/",
		as("nonsense"))} {
		check(t, name, text(a.id("picks-heading")), "Loved by many", text(a.id("vote-2")), "1 vote Vote for Fox")
	}
	if got := text(w.get("/?sort=name").class("sorts")); got == "" || w.get("/?cursor=two%3D").id("today-heading") != nil {
		t.Error("another URL got the front page")
	}
	check(t, "the answer", w.get("/?cursor=two%3D", w.byHtmx("/")).body, begins("<li"))
	for range 2 {
		w.get("/?cursor=forged").check(t, "forged cursor", 400)
	}
}

// TestPeopleShareWhatIsTheSame for all who are signed in, but see the counts of now, and curators what they edited.
func TestPeopleShareWhatIsTheSame(t *testing.T) {
	w := startWebsite(t, page.Settings{CacheTTL: anHour})
	first := w.get("/", w.signedIn)
	before := w.recommendation.asked.Load()
	w.products[0]["name"], w.products[0]["votes"] = "Heron", 1000
	again := w.get("/", w.signedIn)
	check(t, "the list is another", len(w.listed), 1, again.body, has("Crane"), again.body, lacks("Heron"))
	check(t, "the count", text(again.id("vote-1")), "1,000 votes Vote for Crane", text(first.id("vote-1")),
		"41 votes Vote for Crane")
	check(t, "the day and the picks were asked for again", w.recommendation.asked.Load(), before)
	w.get("/", as(w.issuer.Mint(8, "user")))
	check(t, "another's picks are another's", len(w.listed), 1, w.recommendation.asked.Load(), before+1)
	check(t, "a curator", w.get("/", as(w.issuer.Mint(9, "curator"))).body, has("Heron"), len(w.listed), 2)

	picked := again.class("pick")
	w.get("/recommendations", w.signedIn, w.byHtmx("/"))
	check(t, "picks are chosen anew", picked != nil, true, w.recommendation.asked.Load(), before+4)
}

// TestOwnVoteShowsAtOnce to the person who cast it, without scripts too.
func TestOwnVoteShowsAtOnce(t *testing.T) {
	w := startWebsite(t, page.Settings{CacheTTL: anHour})
	w.get("/")
	w.get("/", w.signedIn)
	w.post("/origamis/1/vote", nil, w.signedIn)
	check(t, "the voter", text(w.get("/", w.signedIn).id("vote-1")), "42 votes Voted for Crane, take the vote back")
	check(t, "a visitor", text(w.get("/").id("vote-1")), "41 votes Vote for Crane")
}
