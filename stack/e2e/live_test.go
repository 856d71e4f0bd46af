package e2e

import (
	"context"
	"testing"

	"craftista/stack/internal/stacktest"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestVotesShowElsewhere: on every page that shows the count, also of products that
// came later.
func TestVotesShowElsewhere(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	voter, gallery, page := open(t, s, true), open(t, s, true), open(t, s, true)
	voter.join()
	before := votes(t, s, 1)
	gallery.goTo("/")
	gallery.see("#vote-1 .count", count(before))
	page.goTo("/origamis/1")
	page.see("#vote-1 .count", count(before))
	voter.goTo("/")
	voter.click("#vote-button-1")
	gallery.see("#vote-1 .count", count(before+1))
	page.see("#vote-1 .count", count(before+1))
	voter.see("#vote-1 .count", count(before+1))

	gallery.fill("#q", "crnae") // another stream
	gallery.see("#gallery-heading", "crnae")
	voter.see("#vote-button-1", "take the vote back")
	voter.click("#vote-button-1")
	gallery.see("#vote-1 .count", count(before))
	page.see("#vote-1 .count", count(before))
}

// TestVoteShowsAtOnce: before the answer, and no longer if that is a refusal.
func TestVoteShowsAtOnce(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	b := open(t, s, true)
	b.join()
	b.goTo("/origamis/2")
	b.until("the page listens", b.js(`!!document.getElementById("live")`))
	before := votes(t, s, 2)
	held := b.hold("*/origamis/2/*vote")

	b.click("#vote-button-2")
	paused := <-held
	b.see("#vote-button-2", "Voted")
	b.see("#vote-2 .count", count(before+1))
	b.resume(paused, b.front+"/origamis/999999/vote") // which is refused
	b.see("#vote-2 .vote-note", "Page not found")
	b.see("#vote-button-2", "Vote for")
	b.see("#vote-2 .count", count(before))
	b.holds("focus is on the button", `document.activeElement.id === "vote-button-2"`)

	b.waitDoubleClick()
	b.click("#vote-button-2") // again, and it does not arrive
	b.fail(<-held)
	b.see("#vote-2 .vote-note", "cannot be reached")
	b.see("#vote-2 .count", count(before))

	b.waitDoubleClick()
	b.do(chromedp.DoubleClick(chromedp.CSS("#vote-button-2"))) // one vote
	b.resume(<-held, "")
	b.see("#vote-button-2", "take the vote back")
	b.see("#vote-2 .count", count(before+1))
	b.see("#announcer", "You voted for")
	if got := votes(t, s, 2); got != before+1 {
		t.Errorf("%d votes, want %d", got, before+1)
	}
}

// TestVoteFailsAfterASearch is told where the piece is now, or in the bar where it is no more.
func TestVoteFailsAfterASearch(t *testing.T) {
	t.Parallel()
	b := open(t, stacktest.Site(t), true)
	b.join()
	held := b.hold("*/origamis/5/*vote")
	for query, place := range map[string]string{"frog": "#vote-5 .vote-note", "whale": "#trouble:not([hidden])"} {
		b.goTo("/")
		b.click("#vote-button-5") // the jumping frog
		paused := <-held
		b.fill("#q", query)
		b.see("#gallery-heading", "“"+query+"”")
		b.fail(paused)
		b.see(place, "cannot be reached")
	}
}

// TestLateScriptsAreWaitedFor: counts are live also where the script for streams arrives long after htmx.
func TestLateScriptsAreWaitedFor(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	b := open(t, s, true)
	b.goTo("/robots.txt") // without scripts, which the browser would remember
	held := b.hold("*/vendor/hx-sse.*")
	b.holds("it goes on", `(location.assign("/origamis/3"), true)`)
	late := <-held
	b.until("htmx is there", b.js(`location.pathname === "/origamis/3" && !!window.htmx`))
	b.until("it could begin", b.js(`(window.timer ??= setTimeout(() => { window.passed = true; }, 50), !!window.passed)`))
	b.resume(late, "")
	b.until("the page listens", b.js(`document.getElementById("live").hasAttribute("data-htmx-powered")`))
}

// hold gives the requests to the address, which wait for resume.
func (b *tab) hold(pattern string) <-chan fetch.RequestID {
	b.t.Helper()
	held := make(chan fetch.RequestID, 9)
	err := chromedp.Listen(b.ctx, func(event any) {
		if e, ok := event.(*fetch.EventRequestPaused); ok {
			held <- e.RequestID
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	enable := fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: pattern}}}
	if _, err := chromedp.Call(b.ctx, fetch.Enable, enable); err != nil {
		b.t.Fatal(err)
	}
	return held
}

// resume sends the request, elsewhere unless to is "".
func (b *tab) resume(id fetch.RequestID, to string) {
	b.t.Helper()
	request := fetch.ContinueRequestParams{RequestID: id, URL: to}
	if _, err := chromedp.Call(b.ctx, fetch.ContinueRequest, request); err != nil {
		b.t.Fatal(err)
	}
}

// fail has the request not arrive.
func (b *tab) fail(id fetch.RequestID) {
	b.t.Helper()
	failure := fetch.FailRequestParams{RequestID: id, ErrorReason: "ConnectionFailed"}
	if _, err := chromedp.Call(b.ctx, fetch.FailRequest, failure); err != nil {
		b.t.Fatal(err)
	}
}

// waitDoubleClick waits until the next click is no double click.
func (b *tab) waitDoubleClick() {
	b.t.Helper()
	clicked := 0.0
	b.until("half a second passed", func(ctx context.Context) bool {
		now, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`performance.now()`))
		if clicked == 0 {
			clicked = now
		}
		return err == nil && now-clicked > 500
	})
}

// TestOffline says so, and takes it back by itself.
func TestOffline(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	b := open(t, s, true)
	b.goTo("/")
	before := votes(t, s, 1)
	b.see("#vote-1 .count", count(before))
	b.offline(true)
	b.until("the bar is there", b.js(`!document.getElementById("offline").hidden`))
	voter := open(t, s, true)
	voter.join()
	voter.goTo("/origamis/1")
	voter.click("#vote-button-1")
	voter.see("#vote-button-1", "take the vote back")
	b.offline(false)
	b.until("the bar is hidden", b.js(`document.getElementById("offline").hidden`))
	b.see("#vote-1 .count", count(before+1))
}

func (b *tab) offline(is bool) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	state := network.OverrideNetworkStateParams{Offline: is, DownloadThroughput: -1, UploadThroughput: -1}
	if _, err := chromedp.Call(b.ctx, network.OverrideNetworkState, state); err != nil {
		b.t.Fatal(err)
	}
}
