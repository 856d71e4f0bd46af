package e2e

import (
	"fmt"
	"testing"
	"time"

	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestThroughTheDays goes from the gallery to today's piece, votes for it, leafs
// back to a month before, to a piece of then and on to what goes with it.
func TestThroughTheDays(t *testing.T) {
	t.Parallel()
	var settings local.Config
	s := stacktest.Start(t, func(c *local.Config) { settings = *c })
	today := time.Now().UTC()
	past := today.AddDate(0, 0, -40)
	month, date := past.Format("2006-01"), past.Format(time.DateOnly)
	remember(t, settings.DatabaseURL, date, 1)
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script=%v", script), func(t *testing.T) {
			t.Parallel()
			b, name := open(t, s, script), newcomer()
			b.goTo("/register")
			b.fill("#username", name)
			b.fill("#email", name+"@example.com")
			b.fill("#password", passphrase)
			b.submit("#register-form")
			b.see(".site-nav", "Sign out")

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
			b.see(".site-nav", "Sign out") // whole, not a part of a page
			b.goTo("/daily?date=" + date)
			b.click(".day .today-act .button")
			b.at("/origamis/1")
			b.passOn(script)
			b.see("#also-heading", "People who love this also love")
			b.click(".also .cover")
			b.gone("h1", "Paper crane")
			b.see(".piece .facts", "Difficulty")
		})
	}
}

// back is the browser's own button. It waits for nothing: a page that comes out of
// the back/forward cache is not loaded again.
func (b *tab) back() {
	b.t.Helper()
	history, err := chromedp.Call(b.ctx, page.GetNavigationHistory, cdp.Empty{})
	if err != nil {
		b.t.Fatal(err)
	}
	before := page.NavigateToHistoryEntryParams{EntryID: history.Entries[history.CurrentIndex-1].ID}
	if _, err := chromedp.Call(b.ctx, page.NavigateToHistoryEntry, before); err != nil {
		b.t.Fatal(err)
	}
}

// passOn copies the piece's address, which without script is there to read.
func (b *tab) passOn(script bool) {
	b.t.Helper()
	b.see(".share-address", b.front+"/origamis/1")
	if !script {
		hidden, err := chromedp.Run(b.ctx, chromedp.AttributeValue(chromedp.CSS("[data-share]"), "hidden"))
		if err != nil || !hidden.Exists {
			b.t.Errorf("a button that only a script can answer: %v, %v", hidden, err)
		}
		return
	}
	// No test reads the clipboard, which all browsers of the machine share.
	const listen = `navigator.clipboard.writeText = async (text) => { document.documentElement.dataset.copied = text }`
	if _, err := chromedp.Run(b.ctx, chromedp.EvaluateAsDevTools[any](listen)); err != nil {
		b.t.Fatal(err)
	}
	b.click("[data-share]")
	b.see("#announcer", "Address copied")
	copied, err := chromedp.Run(b.ctx, chromedp.AttributeValue(chromedp.CSS("html"), "data-copied"))
	if want := b.front + "/origamis/1"; err != nil || copied.Value != want {
		b.t.Errorf("copied %q, want %q, %v", copied.Value, want, err)
	}
}

// remember records a day's piece, as a visitor of that day would have.
func remember(t *testing.T, database, date string, piece int64) {
	t.Helper()
	db, err := pg.Open(database, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const record = `INSERT INTO recommendation.daily (day, product_id) VALUES ($1, $2)`
	if _, err := db.ExecContext(t.Context(), record, date, piece); err != nil {
		t.Fatal(err)
	}
}
