package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestASessionEndsOverAForm: somebody writes about a piece, with what looks
// hostile, for longer than their session lasts, adds it all the same, and later
// edits it so, with JavaScript and without.
func TestASessionEndsOverAForm(t *testing.T) {
	t.Parallel()
	var database string
	s := stacktest.Start(t, func(c *local.Config) { database = c.DatabaseURL })
	picture := filepath.Join(t.TempDir(), "heron.svg")
	if err := os.WriteFile(picture, []byte(drawn), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script=%v", script), func(t *testing.T) {
			t.Parallel()
			b := open(t, s, script)
			curator := b.become(database, "curator")
			name := `"><script>alert(1)</script> ` + newcomer()
			typed := map[string]string{"#name": name, "#description": "</textarea><b>It</b> waits.", "#folds": "12", "#paper": "'washi'"}
			b.goTo("/admin/pieces/new")
			for field, text := range typed {
				b.fill(field, text)
			}
			b.choose("#difficulty", "advanced")
			b.upload(picture)
			b.signInBeside(curator, typed)
			if script {
				b.clean("a form without a session")
			}
			b.holds("difficulty is kept, and the file where there is script",
				fmt.Sprintf(`document.querySelector("#difficulty").value === "advanced" && document.querySelector("#file").files.length === Number(%v)`, script))
			if !script {
				b.upload(picture)
			}
			b.submit("#piece-form")
			b.see("#done", name+" is in the gallery now.")

			b.click("#done a")
			b.see("h1", name)
			b.shown(".piece .sheet img")
			b.click(".eyebrow-date a")
			b.see("h1", "Edit a piece")
			b.do(chromedp.Clear(chromedp.CSS("#paper")))
			b.fill("#paper", "newsprint")
			typed["#paper"] = "newsprint"
			b.signInBeside(curator, typed)
			b.submit("#piece-form")
			b.see("#done", name+" is saved.")
			if got := named(t, s, name); got != 1 {
				t.Errorf("%d pieces", got)
			}
		})
	}
}

// signInBeside sends the form without a session, finds it as it was typed, signs
// in in the tab that the form's link opens, and comes back.
func (b *tab) signInBeside(name string, typed map[string]string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		b.t.Fatal(err)
	}
	b.submit("#piece-form")
	b.see("#piece-problem", "Your session has ended. What you typed is still here")
	b.focused("textContent", "Sign in in a new tab")
	for field, text := range typed {
		b.holds(field+" is kept", fmt.Sprintf(`document.querySelector(%q).value === %q`, field, text))
	}
	b.holds("there is no script but the site's own", `!document.querySelector("main :is(script, b)")`)
	b.click("#piece-problem a")
	beside, shut := b.opened("/login")
	beside.see(".why", "go back to the other tab")
	beside.fill("#username", name)
	beside.fill("#password", passphrase)
	beside.submit("#login-form")
	beside.at("/admin/pieces")
	shut()
}

// opened is the tab that a link to the path opened, to be shut at the end.
func (b *tab) opened(path string) (beside *tab, shut context.CancelFunc) {
	b.t.Helper()
	beside = &tab{t: b.t, front: b.front}
	b.until("another tab is at "+path, func(ctx context.Context) bool {
		all, err := chromedp.Targets(ctx)
		for _, found := range all {
			if err == nil && beside.ctx == nil && strings.HasPrefix(found.URL, b.front+path) {
				beside.ctx, shut = chromedp.NewContext(b.ctx, chromedp.WithTargetID(found.TargetID))
			}
		}
		return beside.ctx != nil
	})
	if _, err := chromedp.Run(beside.ctx, chromedp.Location()); err != nil { // the tab is ours as long as this context
		b.t.Fatal(err)
	}
	return beside, shut
}
