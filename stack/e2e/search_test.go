package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
)

// TestSearch goes from a slip of the pen to the piece and back, and from nothing
// to everything.
func TestSearch(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script=%v", script), func(t *testing.T) {
			t.Parallel()
			b := open(t, s, script)
			enter := ""
			if !script {
				enter = "\r"
			}
			b.goTo("/")
			b.click(`.sorts a[href="/?sort=name"]`)
			b.at("/?sort=name")
			b.until("the order is another",
				b.js(`document.querySelector(".sorts [aria-current]")?.getAttribute("href") === "/?sort=name"`))
			b.see("#today-heading", "")
			b.fill("#q", "crnae"+enter)
			b.see("#gallery-heading", "1 piece for “crnae”")
			b.at("/?q=crnae&sort=name")
			b.none("today-heading")
			if script { // the person types on, and hears what came
				b.see("#announcer", "1 piece for “crnae”.")
				b.holds("the way to sign in leads back",
					`document.querySelector('.site-nav [href^="/login"]').href.includes("crnae")`)
				b.holds("focus stays", `document.activeElement.id === "q" && document.title.includes("crnae")`)
			}
			b.do(chromedp.Reload())
			b.see("#gallery-heading", "1 piece for “crnae”")
			b.click(".card .cover")
			b.see("h1", "Paper crane")
			b.back()
			b.until("the search is back, and whole", b.js(`document.readyState === "complete" &&
				!!document.querySelector(".site-nav") &&
				document.querySelector("#gallery-heading")?.textContent === "1 piece for “crnae”"`))

			b.goTo("/?q=crnae&sort=name") // a shared link
			b.see("#gallery-heading", "1 piece for “crnae”")
			b.do(chromedp.Clear(chromedp.CSS("#q")))
			b.fill("#q", "zzzzz"+enter)
			b.see("#gallery-heading", "Nothing for")
			b.click(".nothing a")
			b.at("/?sort=name")
			b.see("#today-heading", "")
			b.see("#gallery-heading", "The gallery")
		})
	}
}

// TestEndlessList: the pieces come by themselves, the address follows, and Back
// from a piece leads to where it was; without script there is a page after the
// other.
func TestEndlessList(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	b := open(t, s, true)
	b.goTo("/")
	b.holds("there is more", `document.querySelectorAll(".card").length === 12`)
	b.scroll("#more")
	b.at("/?show=24")
	b.see("#announcer", "12 more pieces. That is all of them.")
	b.holds("all are there once", `new Set([...document.querySelectorAll(".card")].map(c => c.id)).size === 24`)
	b.do(chromedp.ScrollIntoView(chromedp.CSS(".card:nth-child(22)")))
	b.click(".card:nth-child(22) .cover")
	b.see(".facts", "Folds")
	b.back()
	b.at("/?show=24")
	b.until("the place is the same", b.js(`scrollY > 1000 && document.querySelectorAll(".card").length === 24`))

	b.goTo("/?sort=name")
	b.until("a click brings the focus to the new pieces", b.js(`document.querySelector("#more-link")?.click() ||
		document.activeElement === document.querySelector(".card:nth-child(13) a")`))

	b = open(t, s, false)
	b.goTo("/?sort=name")
	b.click("#more-link")
	b.see("h1", "More pieces")
	b.see("#more-link", "That is all of them")
}

// js is a condition in the page.
func (b *tab) js(condition string) func(context.Context) bool {
	return func(ctx context.Context) bool {
		holds, err := chromedp.Run(ctx, chromedp.EvaluateAsDevTools[bool](condition))
		return err == nil && holds
	}
}

// holds checks a condition in the page.
func (b *tab) holds(what, condition string) {
	b.t.Helper()
	if !b.js(condition)(b.ctx) {
		b.t.Errorf("not so: %s", what)
	}
}

func (b *tab) scroll(selector string) {
	b.t.Helper()
	b.do(chromedp.ScrollIntoView(chromedp.CSS(selector)))
}

// none waits until nothing in the page has the id.
func (b *tab) none(id string) {
	b.t.Helper()
	b.until("nothing is called "+id, func(ctx context.Context) bool {
		html, err := chromedp.Run(ctx, chromedp.OuterHTML(chromedp.CSS("main")))
		return err == nil && !strings.Contains(html, `id="`+id+`"`)
	})
}
