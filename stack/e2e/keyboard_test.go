package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestKeyboard goes through everything with Tab, Enter, Space and arrows. Each
// element on the way shows that it has the focus.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	t.Run("a visitor becomes a person", func(t *testing.T) {
		t.Parallel()
		b := open(t, s, true)
		b.keysThroughTheGallery()
		name := b.keysToRegister()
		signIn(t, b.front, name, passphrase)
		b.keysToSignIn(name, b.keysThroughTheAccount())
	})
	t.Run("an admin", func(t *testing.T) {
		t.Parallel()
		b := open(t, s, true)
		b.become(s, "admin")
		b.keysThroughThePeople()
		b.keysThroughTheCatalogue()
	})
}

func (b *tab) keysThroughTheGallery() {
	b.t.Helper()
	b.goTo("/")
	b.tabTo(".skip", 1)
	b.press(kb.Enter)
	b.until("the content has the focus", b.js(`document.activeElement.id === "main"`))
	b.tabTo("#q", 1)
	b.press("crnae")
	b.see("#gallery-heading", "1 piece for “crnae”")
	b.until("the field is still there", b.js(`document.activeElement.id === "q"`))
	b.tabTo(".card .cover", 12)
	b.press(kb.Enter)
	b.see("h1", "Paper crane")
	b.tabTo(`a[href="/daily"]`, 5)
	b.press(kb.Enter)
	b.at("/daily")
	b.tabTo(".calendar a", 20)
	b.press(kb.Enter)
	b.see(".day .eyebrow", "")
	b.goTo("/")
	b.tabTo(`.sorts a[href="/?sort=name"]`, 30)
	b.press(kb.Enter)
	b.at("/?sort=name")
	b.tabTo(".card:nth-child(13) .cover", 60) // which is loaded by scrolling
	b.tabTo(".trace a", 40)
}

// keysToRegister starts at a vote, for which a visitor has to sign in.
func (b *tab) keysToRegister() (name string) {
	b.t.Helper()
	name = newName()
	b.goTo("/origamis/2")
	b.tabTo("#vote-button-2", 12)
	b.press(kb.Enter)
	b.see("h1", "Sign in")
	b.tabTo(".other a", 15)
	b.press(kb.Enter)
	b.see("h1", "account")
	b.typeInto("#username", name, "#email", name+"@example.com", "#password", "qwertyuiop")
	b.press(kb.Enter)
	b.see("#password-error", "most common")
	b.focused("id", "password") // the first that needs mending
	b.press("a", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	b.press(passphrase)
	b.tabTo(".show-password", 1)
	b.press(" ")
	b.until("the password is shown", b.js(`document.querySelector("#password").type === "text"`))
	b.tabTo("#register-form .button-wide", 1)
	b.press(" ")
	b.see(".site-nav", "Sign out")
	b.at("/origamis/2#piece-2")
	b.see("#vote-button-2", "take the vote back")
	b.tabTo("#vote-button-2", 14)
	b.press(" ")
	b.lacks("#vote-button-2", "take the vote back")
	b.focused("id", "vote-button-2")
	b.outlined()
	return name
}

// keysThroughTheAccount ends another session, changes the password, which it
// returns, and ends all sessions.
func (b *tab) keysThroughTheAccount() (next string) {
	b.t.Helper()
	next = passphrase + "-anew"
	b.goTo("/")
	b.tabTo(".own-first", 6)
	b.press(kb.Enter)
	b.at("/account")
	b.tabTo(".session form button", 20)
	b.press(kb.Enter)
	b.see("#sessions", "That session was signed out.")
	b.focused("className", "done")
	b.outlined()
	b.goTo("/account")
	b.typeInto("#current_password", "not-my-password", "#new_password", next)
	b.press(kb.Enter)
	b.see("#current_password-error", "is wrong")
	b.focused("id", "current_password")
	b.outlined()
	b.typeInto("#current_password", passphrase, "#new_password", next)
	b.tabTo("#password-form .button-wide", 2)
	b.press(" ")
	b.see("#password-form", "Your password was changed")
	b.focused("className", "done")
	b.outlined()
	b.tabTo("#end-all", 20)
	b.press(" ")
	b.see(".site-nav", "Sign in")
	return next
}

func (b *tab) keysToSignIn(name, password string) {
	b.t.Helper()
	b.goTo("/")
	b.tabTo(".own-first", 6)
	b.press(kb.Enter)
	b.see("h1", "Sign in")
	b.typeInto("#username", name, "#password", password)
	b.press(kb.Enter)
	b.see(".site-nav", "Sign out")
	b.tabTo("#sign-out", 9)
	b.press(" ")
	b.see(".site-nav", "Sign in")
}

func (b *tab) keysThroughThePeople() {
	b.t.Helper()
	b.tabTo(`.doors a[href="/admin/people"]`, 14)
	b.press(kb.Enter)
	b.at("/admin/people")
	b.typeInto("#q", "user@example.com")
	b.press(kb.Enter)
	b.at("/admin/people?q=user%40example.com")
	b.see(".people", "user@example.com · ")
	b.tabTo(".one-person select", 14)
	b.press(kb.ArrowDown)
	b.tabTo(".one-person [id^=give]", 1)
	b.press(kb.Enter)
	b.see("#announcer", "Curator")
	b.until("the button has the focus", b.js(`document.activeElement.id.startsWith("give-")`))
	b.outlined()
	b.tabTo(".one-person [id^=state]", 1)
	b.press(" ")
	b.see(".badge-off", "disabled")
}

func (b *tab) keysThroughTheCatalogue() {
	b.t.Helper()
	name := "Heron " + newName()
	b.goTo("/admin/pieces")
	b.tabTo(`[href="/admin/pieces/new"]`, 14)
	b.press(kb.Enter)
	b.at("/admin/pieces/new")
	b.typeInto("#name", name, "#description", "It waits.", "#difficulty", "a", "#folds", "12", "#paper", "washi")
	b.tabTo("#file", 3)
	b.tabTo(".drawing input", 1)
	b.press(kb.ArrowRight + kb.ArrowRight)
	b.until("the third drawing is chosen",
		b.js(`document.activeElement === document.querySelector(".drawing:nth-child(3) :checked")`))
	b.outlined()
	b.tabTo("#piece-form .button", 1)
	b.press(kb.Enter)
	b.see("#done", name+" was added to the gallery.")
	b.focused("id", "done")
	b.outlined()
	b.tabTo("#done a", 1)
	b.press(kb.Enter)
	b.see("h1", name)
	b.tabTo(".eyebrow-date a", 12)
	b.press(kb.Enter)
	b.see("h1", "Edit a piece")
	b.tabTo(".piece-form-delete", 25)
	b.press(kb.Enter)
	b.see("h1", "Delete "+name)
	b.tabTo("#removal button", 12)
	b.press(" ")
	b.see("#done", "The piece was deleted.")
}

// press types keys where the focus is.
func (b *tab) press(keys string, options ...chromedp.KeyOption) {
	b.t.Helper()
	b.loaded()
	b.do(chromedp.KeyEvent(keys, options...))
}

// typeInto goes to each field, given as field, text, field, text, wherever the
// focus is before, and types.
func (b *tab) typeInto(fields ...string) {
	b.t.Helper()
	b.loaded()
	for i := 0; i < len(fields); i += 2 {
		switch {
		case i > 0:
			b.tabTo(fields[i], 2) // a password may have a button after it
		case !b.js(`document.activeElement.matches("` + fields[i] + `")`)(b.ctx):
			b.tabTo(fields[i], 15)
		}
		b.press(fields[i+1])
	}
}

// tabTo presses Tab, at most so often, until the focus is on what matches. Each
// element on the way has an outline, and follows the one before in the page.
func (b *tab) tabTo(selector string, most int) {
	b.t.Helper()
	var path []string
	const remember, inOrder = `window.left = document.activeElement; true`,
		`left === document.body || document.activeElement.matches(".skip") ||
		(left.compareDocumentPosition(document.activeElement) & Node.DOCUMENT_POSITION_FOLLOWING) > 0`
	for range most {
		b.loaded()
		b.holds("the page runs", remember)
		b.press(kb.Tab)
		path = append(path, b.outlined())
		b.holds(path[len(path)-1]+" comes after what had the focus", inOrder)
		if b.js(`document.activeElement.matches(` + fmt.Sprintf("%q", selector) + `)`)(b.ctx) {
			return
		}
	}
	b.t.Fatalf("%d tabs do not lead to %s but to %s", most, selector, strings.Join(path, ", "))
}

// outlined checks that a person can see what has the focus: it is in the window,
// not covered, and it or what represents it has an outline. It returns its name.
func (b *tab) outlined() (name string) {
	b.t.Helper()
	const check = `(() => {
		const e = document.activeElement, name = e.tagName + (e.id && "#" + e.id) + "." + e.className;
		if (e === document.body) return name + "|nothing has it";
		const outlined = [[e, ""], [e, "::after"], [e.labels?.[0], ""]].some(([at, pseudo]) => {
			const style = at && getComputedStyle(at, pseudo);
			return at && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
		});
		if (!outlined) return name + "|no outline";
		const middle = (from, to, most) => (Math.max(from, 0) + Math.min(to, most)) / 2; // of what is in the window
		const r = e.getBoundingClientRect();
		const [x, y] = [middle(r.left, r.right, innerWidth), middle(r.top, r.bottom, innerHeight)];
		const top = document.elementFromPoint(x, y);
		if (top && (e.contains(top) || e.labels?.[0]?.contains(top) || top.contains(e))) return name + "|";
		return name + "|covered by " + top?.outerHTML.slice(0, 80) + " at " + x + " " + y;
	})()`
	problem := ""
	b.until("nothing moves", b.js(`document.getAnimations().length === 0`))
	b.until("something has the focus", func(ctx context.Context) bool {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](check))
		name, problem, _ = strings.Cut(got, "|")
		return err == nil
	})
	if problem != "" {
		b.t.Errorf("%s: %s", name, problem)
	}
	return name
}
