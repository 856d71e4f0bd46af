package e2e

import (
	"testing"

	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
)

// TestSearch goes from a typo to the product and back, and from no result to all,
// with JavaScript and without.
func TestSearch(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	withAndWithoutScript(t, s, func(_ *testing.T, b *tab, script bool) {
		enter := ""
		if !script {
			enter = "\r"
		}
		b.goTo("/")
		b.click(`.sorts a[href="/?sort=name"]`)
		b.at("/?sort=name")
		b.until("the order has changed",
			b.js(`document.querySelector(".sorts [aria-current]")?.getAttribute("href") === "/?sort=name"`))
		b.see("#today-heading", "")
		b.fill("#q", "crnae"+enter)
		b.see("#gallery-heading", "1 piece for “crnae”")
		b.at("/?q=crnae&sort=name")
		b.none("today-heading")
		if script { // the person goes on typing while the result is announced
			b.see("#announcer", "1 piece for “crnae”.")
			b.holds("the sign-in leads back",
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
		b.see("#gallery-heading", "No results for")
		b.click(".nothing a")
		b.at("/?sort=name")
		b.see("#today-heading", "")
		b.see("#gallery-heading", "The gallery")
	})
}

// TestEndlessList scrolls: more products are loaded, the address follows, and Back
// from a product leads to where it was. Without script there are pages.
func TestEndlessList(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	b := open(t, s, true)
	b.goTo("/")
	b.holds("there is more", `document.querySelectorAll(".card").length === 12`)
	b.do(chromedp.ScrollIntoView(chromedp.CSS("#more")))
	b.at("/?show=24")
	b.see("#announcer", "12 more pieces. No more pieces.")
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
	b.see("#more-link", "No more pieces")
}
