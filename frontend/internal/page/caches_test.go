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
	w := startWebsite(t, page.Settings{CacheTTL: anHour, TraceURLTemplate: "http://traces.example/trace/{id}",
		PublicURL: "https://origami.example"})
	first := w.get("/")
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
			zipped := w.bare("GET", "/", header("Accept-Encoding", "gzip"))
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
	w.mine[2] = true
	signedIn := w.get("/", w.signedIn)
	check(t, "a person got a visitor's page", text(signedIn.id("picks-heading")), "Picked for you",
		text(signedIn.id("vote-2")), "1 vote Voted for Fox, take the vote back")
	check(t, "another person got a visitor's picks", text(w.get("/", as(w.issuer.Mint(8, "user"))).class("reason")),
		"chosen for you")
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

// TestVotesAreSharedWithNobody: a person's own are kept for that person alone.
func TestVotesAreSharedWithNobody(t *testing.T) {
	w := startWebsite(t, page.Settings{CacheTTL: anHour})
	w.mine[2] = true
	for _, step := range []struct {
		name string
		id   int64
		want string
	}{
		{"one person", 7, "1 vote Voted for Fox, take the vote back"},
		{"another, who has no votes", 8, "1 vote Vote for Fox"},
		{"the first again", 7, "1 vote Voted for Fox, take the vote back"},
	} {
		check(t, step.name, text(w.get("/", as(w.issuer.Mint(step.id, "user"))).id("vote-2")), step.want)
		clear(w.mine)
	}
}

// TestAFailureIsNotKept: who comes after it asks again.
func TestAFailureIsNotKept(t *testing.T) {
	w := startWebsite(t, page.Settings{CacheTTL: anHour})
	w.product.failure.Store(broken)
	w.recommendation.failure.Store(broken)
	if a := w.get("/", w.signedIn); a.status != http.StatusOK || a.id("piece-1") != nil {
		t.Fatalf("broken: %d", a.status)
	}
	w.product.failure.Store(none)
	w.recommendation.failure.Store(none)
	after := w.get("/", w.signedIn)
	check(t, "the failure is still shown", after.id("piece-1") != nil, true,
		text(after.id("today-heading")), "Crane", text(after.class("reason")), "chosen for you")
}

// TestOwnVoteShowsAtOnce to the browser that cast it, signed in or out meanwhile,
// through this replica and another.
func TestOwnVoteShowsAtOnce(t *testing.T) {
	t.Parallel()
	settings := page.Settings{CacheTTL: anHour}
	w := newWebsite(t, settings)
	for _, who := range []option{w.signedIn, header("X", "visitor")} {
		w.get("/", who)
	}
	vote := w.post("/origamis/1/vote", nil, w.signedIn)
	note, ok := strings.CutSuffix(vote.header.Get("Set-Cookie"), "; Path=/; Max-Age=2; HttpOnly; SameSite=Lax")
	if !ok {
		t.Fatalf("the vote sets %q", vote.header.Get("Set-Cookie"))
	}
	just := header("Cookie", note)
	both := func(r *http.Request) { just(r); w.signedIn(r) }
	for name, c := range map[string]struct {
		who  option
		want string
	}{
		"the voter": {both, "42 votes Voted for Crane, take the vote back"}, "the voter, signed out": {just,
			"42 votes Vote for Crane"},
		// the fake knows one person's votes
		"somebody else": {as(w.issuer.Mint(8, "user")), "41 votes Voted for Crane, take the vote back"},
	} {
		check(t, name, text(w.get("/", c.who).id("vote-1")), c.want)
	}
	check(t, "taken back", w.post("/origamis/1/unvote", nil, both, w.byHtmx("/")).header.Get("Set-Cookie"), begins(note))
	check(t, "by a script", w.post("/api/origamis/1/vote", nil, w.signedIn).header.Get("Set-Cookie"), begins(note))
}
