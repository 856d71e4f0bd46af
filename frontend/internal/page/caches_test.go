package page_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/frontend/internal/page"

	"github.com/google/go-cmp/cmp"
)

const anHour = time.Hour // in which a test changes what is behind the site

func asked(w *website) [2]int32 {
	return [2]int32{w.product.asked.Load(), w.recommendation.asked.Load()}
}

// TestVisitorsShareTheFrontPage and each finds the name of their own trace in it.
func TestVisitorsShareTheFrontPage(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{CacheTTL: anHour, TraceURLTemplate: "http://traces.example/trace/{id}", PublicURL: "https://origami.example"})
	first := w.get("/")
	before := asked(w)
	w.products[0]["votes"] = 99
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			a := w.get("/")
			id := a.header.Get("Trace-Id")
			if strings.Count(a.body, id) != 2 || strings.Contains(a.body, first.header.Get("Trace-Id")) {
				t.Error("the page names another's trace")
			}
			if got, want := strings.ReplaceAll(a.body, id, ""), strings.ReplaceAll(first.body, first.header.Get("Trace-Id"), ""); got != want {
				t.Error("the page is another")
			}
			zipped := w.bare("GET", "/", header("Accept-Encoding", "gzip"))
			if text, id := unzip(t, zipped), zipped.Header().Get("Trace-Id"); strings.Count(text, id) != 2 || len(text) != len(first.body) {
				t.Errorf("compressed: %d bytes, want %d", len(text), len(first.body))
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(before, asked(w)); diff != "" {
		t.Errorf("the services were asked again: %s", diff)
	}
	for _, name := range []string{"Content-Security-Policy", "Cache-Control", "Content-Type", "Vary", "X-Content-Type-Options"} {
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
	t.Parallel()
	w := newWebsite(t, page.Settings{CacheTTL: anHour})
	w.get("/")
	w.mine[2] = true
	signedIn := w.get("/", as(w.issuer.Mint(7, "user")))
	if text(signedIn.id("picks-heading")) != "Picked for you" || text(signedIn.id("vote-2")) != "1 vote Voted for Fox, take the vote back" {
		t.Error("a person got a visitor's page")
	}
	if text(w.get("/", as(w.issuer.Mint(8, "user"))).class("reason")) != "chosen for you" {
		t.Error("another person got a visitor's picks")
	}
	for name, a := range map[string]answer{"a visitor": w.get("/"), "at the end of a session": w.get("/", as("nonsense"))} {
		if text(a.id("picks-heading")) != "Loved by many" || text(a.id("vote-2")) != "1 vote Vote for Fox" {
			t.Errorf("%s got a person's page", name)
		}
	}
	if got := text(w.get("/?sort=name").class("sorts")); got == "" || w.get("/?cursor=two%3D").id("today-heading") != nil {
		t.Error("another URL got the front page")
	}
	if a := w.get("/?cursor=two%3D", w.byHtmx("/")); !strings.HasPrefix(a.body, "<li") {
		t.Errorf("a fragment is %.60s", a.body)
	}
	for range 2 {
		if a := w.get("/?cursor=forged"); a.status != http.StatusBadRequest {
			t.Errorf("forged cursor: %d", a.status)
		}
	}
}

// TestVotesAreSharedWithNobody: a person's own are kept for that person alone.
func TestVotesAreSharedWithNobody(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{CacheTTL: anHour})
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
		if got := text(w.get("/", as(w.issuer.Mint(step.id, "user"))).id("vote-2")); got != step.want {
			t.Errorf("%s sees %q, want %q", step.name, got, step.want)
		}
		clear(w.mine)
	}
}

// TestAFailureIsNotKept: who comes after it asks again.
func TestAFailureIsNotKept(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{CacheTTL: anHour})
	person := as(w.issuer.Mint(7, "user"))
	w.product.mood.Store(broken)
	w.recommendation.mood.Store(broken)
	if a := w.get("/", person); a.status != http.StatusOK || a.id("piece-1") != nil {
		t.Fatalf("broken: %d", a.status)
	}
	w.product.mood.Store(well)
	w.recommendation.mood.Store(well)
	if a := w.get("/", person); a.id("piece-1") == nil || text(a.id("today-heading")) != "Crane" || text(a.class("reason")) != "chosen for you" {
		t.Error("the failure is still shown")
	}
}

// TestOwnVoteShowsAtOnce to the browser that cast it, signed in or out meanwhile,
// through this replica and another.
func TestOwnVoteShowsAtOnce(t *testing.T) {
	t.Parallel()
	settings := page.Settings{CacheTTL: anHour}
	w := newWebsite(t, settings)
	person := as(w.issuer.Mint(7, "user"))
	for _, who := range []option{person, header("X", "visitor")} {
		w.get("/", who)
	}
	vote := w.post("/origamis/1/vote", nil, person)
	note, ok := strings.CutSuffix(vote.header.Get("Set-Cookie"), "; Path=/; Max-Age=2; HttpOnly; SameSite=Lax")
	if !ok {
		t.Fatalf("the vote sets %q", vote.header.Get("Set-Cookie"))
	}
	just := header("Cookie", note)
	both := func(r *http.Request) { just(r); person(r) }
	for name, c := range map[string]struct {
		who  option
		want string
	}{
		"the voter": {both, "42 votes Voted for Crane, take the vote back"}, "the voter, signed out": {just, "42 votes Vote for Crane"},
		"somebody else": {as(w.issuer.Mint(8, "user")), "41 votes Voted for Crane, take the vote back"}, // the fake knows one person's votes
	} {
		if got := text(w.get("/", c.who).id("vote-1")); got != c.want {
			t.Errorf("%s sees %q, want %q", name, got, c.want)
		}
	}
	if a := w.post("/origamis/1/unvote", nil, both, w.byHtmx("/")); !strings.HasPrefix(a.header.Get("Set-Cookie"), note) {
		t.Errorf("taken back: %q", a.header.Get("Set-Cookie"))
	}
	if a := w.post("/api/origamis/1/vote", nil, person); !strings.HasPrefix(a.header.Get("Set-Cookie"), note) {
		t.Errorf("by a script: %q", a.header.Get("Set-Cookie"))
	}
}
