package e2e

import (
	"testing"
	"time"

	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
)

// TestDailyPages goes from the gallery to today's product, votes for it, opens a
// month before and a day of it, and from there what people like besides.
func TestDailyPages(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	today := time.Now().UTC()
	past := today.AddDate(0, 0, -40)
	month, date := past.Format("2006-01"), past.Format(time.DateOnly)
	const record = `INSERT INTO recommendation.daily (day, product_id) VALUES ($1, 1)`
	if _, err := openDatabase(t, s.Config.DatabaseURL).ExecContext(t.Context(), record, date); err != nil {
		t.Fatal(err)
	}
	withAndWithoutScript(t, s, func(_ *testing.T, b *tab, script bool) {
		b.join()
		b.click(`.site-nav a[href="/daily"]`)
		b.at("/daily")
		b.see(".day .eyebrow", today.Format("2 January 2006"))
		b.see(".calendar caption", today.Format("January 2006"))
		b.submit(".day .vote")
		b.see(".day .vote-button", "take the vote back")
		b.see(".calendar .is-today", today.Format("2")+" ")

		b.click(`.months a[rel="prev"]`)
		b.at("/daily?month=" + month)
		b.see("h1", "Pieces of "+past.Format("January 2006"))
		b.click(".calendar .has-piece a")
		b.at("/daily?date=" + date)
		b.see("h1", "Paper crane")
		b.back()
		b.at("/daily?month=" + month)
		b.do(chromedp.Reload())
		b.see("h1", "Pieces of "+past.Format("January 2006"))
		b.see(".site-nav", "Sign out") // the whole page, not a fragment
		b.goTo("/daily?date=" + date)
		b.click(".day .today-act .button")
		b.at("/origamis/1")
		b.copyAddress(script)
		b.see("#also-heading", "People who love this also love")
		b.click(".also .cover")
		b.lacks("h1", "Paper crane")
		b.see(".piece .facts", "Difficulty")
	})
}

// copyAddress copies the product's address, which without script can only be read.
func (b *tab) copyAddress(script bool) {
	b.t.Helper()
	b.see(".share-address", b.front+"/origamis/1")
	if !script {
		hidden, err := chromedp.Run(b.ctx, chromedp.AttributeValue(chromedp.CSS("[data-share]"), "hidden"))
		if err != nil || !hidden.Exists {
			b.t.Errorf("a button that needs script is shown: %v, %v", hidden, err)
		}
		return
	}
	// The clipboard is not read: all browsers of the machine share it.
	const listen = `navigator.clipboard.writeText = async (text) => { document.documentElement.dataset.copied = text }`
	if _, err := chromedp.Run(b.ctx, chromedp.EvaluateAsDevTools[any](listen)); err != nil {
		b.t.Fatal(err)
	}
	b.click("[data-share]")
	b.see("#announcer", "Link copied")
	copied, err := chromedp.Run(b.ctx, chromedp.AttributeValue(chromedp.CSS("html"), "data-copied"))
	if want := b.front + "/origamis/1"; err != nil || copied.Value != want {
		b.t.Errorf("copied %q, want %q, %v", copied.Value, want, err)
	}
}
