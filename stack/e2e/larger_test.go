package e2e

import (
	"testing"

	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestFilterAndLargerPicture narrows the gallery to a difficulty, searches in that, opens a
// piece and looks at its picture, with JavaScript and without.
func TestFilterAndLargerPicture(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	withAndWithoutScript(t, s, func(_ *testing.T, b *tab, script bool) {
		enter := ""
		if !script {
			enter = "\r"
		}
		b.goTo("/?sort=name")
		b.click(`[aria-label="Difficulty"] a[href="/?difficulty=advanced&sort=name"]`)
		b.see("#gallery-heading", "Advanced pieces")
		if script {
			b.composes()
		}
		b.fill("#q", "dragn"+enter)
		b.see("#gallery-heading", "1 advanced piece for “dragn”")
		b.click(".card .cover")
		b.see("h1", "Dragon")
		b.click("#enlarge")
		if !script {
			b.until("the picture is there alone", b.js(`location.pathname.startsWith("/static/origami/dragon.")`))
			return
		}
		const shown, closed = `document.getElementById("larger").matches(":modal")`, `!document.getElementById("larger").open`
		b.until("the picture is shown larger", b.js(shown+` && document.querySelector("#larger img").complete`))
		b.focused("id", "larger-picture")
		b.clean("a larger picture")
		b.press(kb.Escape)
		b.until("Escape closes it", b.js(closed))
		b.focused("id", "enlarge")
		b.press(kb.Enter)
		b.until("Enter opens it", b.js(shown))
		b.click("#larger")
		b.until("a click closes it", b.js(closed))
		b.focused("id", "enlarge")
	})
}

// composes checks that the search hears nothing of what an input method composes until that is done.
func (b *tab) composes() {
	b.t.Helper()
	b.loaded()
	const heard = `(() => {
		const q = document.getElementById("q"), heard = [];
		q.form.addEventListener("input", () => heard.push(q.value));
		for (const [text, isComposing] of [["か", true], ["かに", true]]) {
			q.value = text;
			q.dispatchEvent(new InputEvent("input", {bubbles: true, isComposing}));
		}
		q.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true}));
		q.value = "";
		return heard.join();
	})()`
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](heard))
	if err != nil || got != "かに" {
		b.t.Errorf("the search heard %q, %v", got, err)
	}
}
