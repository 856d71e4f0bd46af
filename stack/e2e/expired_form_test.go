package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
)

// TestFormOfAnExpiredSession types a product with hostile texts for longer than
// the session lasts, adds it all the same, and edits it in the same way later,
// with JavaScript and without.
func TestFormOfAnExpiredSession(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	picture := filepath.Join(t.TempDir(), "heron.svg")
	if err := os.WriteFile(picture, []byte(drawn), 0o600); err != nil {
		t.Fatal(err)
	}
	withAndWithoutScript(t, s, func(t *testing.T, b *tab, script bool) {
		curator := b.become(s, "curator")
		name := `"><script>alert(1)</script> ` + newName()
		typed := map[string]string{
			"#name": name, "#description": "</textarea><b>It</b> waits.", "#folds": "12", "#paper": "'washi'",
		}
		b.goTo("/admin/pieces/new")
		for field, text := range typed {
			b.fill(field, text)
		}
		b.choose("#difficulty", "advanced")
		b.upload(picture)
		b.signInInAnotherTab(curator, typed)
		if script {
			b.clean("a form without a session")
		}
		b.holds("difficulty is there, and with script the file", fmt.Sprintf(
			`document.querySelector("#difficulty").value === "advanced" &&
				document.querySelector("#file").files.length === Number(%v)`, script))
		if !script {
			b.upload(picture)
		}
		b.submit("#piece-form")
		b.see("#done", name+" was added to the gallery.")

		b.click("#done a")
		b.see("h1", name)
		b.wantImage(".piece .sheet img")
		b.click(".eyebrow-date a")
		b.see("h1", "Edit a piece")
		b.do(chromedp.Clear(chromedp.CSS("#paper")))
		b.fill("#paper", "newsprint")
		typed["#paper"] = "newsprint"
		b.signInInAnotherTab(curator, typed)
		b.submit("#piece-form")
		b.see("#done", name+" was saved.")
		if got := named(t, s, name); got != 1 {
			t.Errorf("%d products of one form", got)
		}
	})
}

// signInInAnotherTab sends the form without a session, finds it as it was typed,
// signs in in the tab that the form's link opens, and comes back.
func (b *tab) signInInAnotherTab(name string, typed map[string]string) {
	b.t.Helper()
	b.clearCookies()
	b.submit("#piece-form")
	b.see("#piece-problem", "Your session has ended. What you typed is still here")
	b.focused("textContent", "Sign in in a new tab")
	for field, text := range typed {
		b.holds(field+" is as typed", fmt.Sprintf(`document.querySelector(%q).value === %q`, field, text))
	}
	b.holds("there is no script but the site's own",
		`!document.querySelector('main :is(script:not([src^="/static/"]), b)')`)
	b.click("#piece-problem a")
	other, closeTab := b.opened("/login")
	other.see(".why", "return to your form in the other tab")
	other.login(name)
	other.at("/admin/pieces")
	closeTab()
}
