package e2e

import (
	"net/http"
	"testing"

	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
)

// TestRequestsAreCharted: a request shows in the open page of traces, and its route leads to its trace.
func TestRequestsAreCharted(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	b := open(t, s, true)
	b.do(chromedp.Navigate(s.URLs["traces"]), chromedp.Evaluate[chromedp.Void]("window.loaded = true; undefined"))
	page := do(t, http.DefaultClient, get(t, s.URLs["frontend"]+"/origamis/1"))
	b.see("#frontend", "GET /origamis/{id}")
	b.click("#product summary")
	shown := do(t, http.DefaultClient, get(t, s.URLs["product"]+"/api/products"))
	b.see("#product", "GET /api/products ")
	b.holds("what was open is open, in the same page", `window.loaded && document.querySelector("#product").open`)
	b.clean("requests and traces")
	b.click(`#product a[href$="products%2f%7bid%7d"]`)
	b.see("main", "Those with product GET /api/products/{id}.")
	trace := func(r reply) string {
		return `!!document.querySelector('[href="/trace/` + r.Header.Get("Trace-Id") + `"]')`
	}
	b.until("the product's trace is listed", b.js(trace(page)))
	b.holds("the list's is not", "!"+trace(shown))
}
