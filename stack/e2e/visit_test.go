package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestVisit is the whole visit of a new person, with JavaScript and without.
func TestVisit(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	withAndWithoutScript(t, s, func(t *testing.T, b *tab, script bool) {
		product, name := map[bool]int{true: 1, false: 2}[script], newName()
		form, button := fmt.Sprintf("#vote-%d", product), fmt.Sprintf("#vote-button-%d", product)
		b.goTo("/")
		b.see("#today-heading", "") // the product of the day
		b.see("#pieces", "Paper crane")
		before := votes(t, s, product)

		b.click(button) // a visitor may not vote: to the sign-in and back
		b.see("h1", "Sign in")
		b.click(`.other a`)
		b.see("h1", "account")
		b.fill("#username", name)
		b.fill("#email", name+"@example.com")
		b.fill("#password", "qwertyuiop")
		b.submit("#register-form")
		b.see("#password-error", "most common")
		b.do(chromedp.Clear(chromedp.CSS("#password")))
		b.fill("#password", passphrase)
		b.submit("#register-form")
		b.see(".site-nav", "Sign out")
		b.see(button, "take the vote back") // as they wanted
		b.see(form+" .count", count(before+1))
		b.click(button)
		b.lacks(button, "take the vote back")
		b.goTo("/")
		if script {
			b.see("#picks", "Paper crane")
		}

		b.click(button)
		b.see(button, "take the vote back")
		if script {
			b.see("#announcer", "Paper crane")
			b.focused("id", fmt.Sprintf("vote-button-%d", product))
			// Picks are swapped too, and leave out what one voted for.
			b.until("the picks lack what has a vote", b.js(fmt.Sprintf(
				`document.querySelector("#picks .pick") && !document.querySelector('#picks a[href="/origamis/%d"]')`, product)))
		}
		b.see(form+" .count", count(before+1))
		b.goTo(fmt.Sprintf("/origamis/%d", product))
		b.see(button, "take the vote back")
		b.see(form+" .count", count(before+1))
		b.click(button)
		b.lacks(button, "take the vote back") // which the server's answer changes, not the click
		b.see(form+" .count", count(before))
		if got := votes(t, s, product); got != before {
			t.Errorf("%d votes after taking it back, want %d", got, before)
		}
		b.logout()
		got, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{})
		if err != nil || len(got.Cookies) > 0 {
			t.Errorf("cookies after signing out: %v, %v", got.Cookies, err)
		}
	})
}

// votes is the count that scripts get.
func votes(t *testing.T, s *local.Stack, product int) int {
	t.Helper()
	var got struct{ Votes int }
	r := do(t, http.DefaultClient, get(t, fmt.Sprintf("%s/api/origamis/%d/votes", s.URLs["frontend"], product)))
	if err := json.Unmarshal([]byte(r.Body), &got); err != nil {
		t.Fatalf("%d %s: %v", r.Status, r.Body, err)
	}
	return got.Votes
}

func count(n int) string { return fmt.Sprintf("%d votes", n) }
