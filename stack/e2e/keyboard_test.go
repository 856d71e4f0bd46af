package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestAKeyboardIsEnough goes through everything with Tab, Enter, Space and arrows.
// Each stop on the way shows that it has the focus.
func TestAKeyboardIsEnough(t *testing.T) {
	t.Parallel()
	var database string
	s := stacktest.Start(t, func(c *local.Config) { database = c.DatabaseURL })
	t.Run("a visitor becomes a person", func(t *testing.T) {
		t.Parallel()
		b := open(t, s, true)
		b.keysThroughTheGallery()
		name := b.keysToRegister()
		elsewhere(t, b.front, name, passphrase)
		b.keysToSignIn(name, b.keysThroughTheAccount())
	})
	t.Run("an admin", func(t *testing.T) {
		t.Parallel()
		b := open(t, s, true)
		b.become(database, "admin")
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
	b.tabTo(".card .cover", 8)
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
	b.tabTo(".card:nth-child(13) .cover", 60) // which came by itself
	b.tabTo(".trace a", 40)
}

// keysToRegister starts at a vote that nobody may give.
func (b *tab) keysToRegister() (name string) {
	b.t.Helper()
	name = newcomer()
	b.goTo("/origamis/2")
	b.tabTo("#vote-button-2", 12)
	b.press(kb.Enter)
	b.see("h1", "Sign in")
	b.tabTo(".other a", 15)
	b.press(kb.Enter)
	b.see("h1", "account")
	b.typeInto(map[string]string{"#username": name, "#email": name + "@example.com", "#password": "short"}, "#username", "#email", "#password")
	b.press(kb.Enter)
	b.see("#password-error", "10")
	b.focused("id", "password") // the first that needs mending
	b.press("a", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	b.press(passphrase)
	b.tabTo("#register-form button", 1)
	b.press(" ")
	b.see(".site-nav", "Sign out")
	b.at("/origamis/2#piece-2")
	b.tabTo("#vote-button-2", 14)
	b.press(" ")
	b.see("#vote-button-2", "take the vote back")
	b.focused("id", "vote-button-2")
	b.ring()
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
	b.see("#sessions", "That session is ended.")
	b.focused("className", "done")
	b.ring()
	b.goTo("/account")
	b.typeInto(map[string]string{"#current_password": "not-my-password", "#new_password": next}, "#current_password", "#new_password")
	b.press(kb.Enter)
	b.see("#current_password-error", "is not your password")
	b.focused("id", "current_password")
	b.ring()
	b.typeInto(map[string]string{"#current_password": passphrase, "#new_password": next}, "#current_password", "#new_password")
	b.tabTo("#password-form button", 1)
	b.press(" ")
	b.see("#password-form", "Your password is changed")
	b.focused("className", "done")
	b.ring()
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
	b.typeInto(map[string]string{"#username": name, "#password": password}, "#username", "#password")
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
	b.typeInto(map[string]string{"#q": "user@example.com"}, "#q")
	b.press(kb.Enter)
	b.see(".people", "user@example.com · ")
	b.tabTo(".one-person select", 14)
	b.press(kb.ArrowDown)
	b.tabTo(".one-person [id^=give]", 1)
	b.press(kb.Enter)
	b.see("#announcer", "Curator")
	b.until("the button has the focus", b.js(`document.activeElement.id.startsWith("give-")`))
	b.ring()
	b.tabTo(".one-person [id^=state]", 1)
	b.press(" ")
	b.see(".badge-off", "disabled")
}

func (b *tab) keysThroughTheCatalogue() {
	b.t.Helper()
	name := "Heron " + newcomer()
	b.goTo("/admin/pieces")
	b.tabTo(`[href="/admin/pieces/new"]`, 14)
	b.press(kb.Enter)
	b.at("/admin/pieces/new")
	b.typeInto(map[string]string{"#name": name, "#description": "It waits.", "#difficulty": "a", "#folds": "12", "#paper": "washi"},
		"#name", "#description", "#difficulty", "#folds", "#paper")
	b.tabTo("#file", 1)
	b.tabTo(".drawing input", 1)
	b.press(kb.ArrowRight + kb.ArrowRight)
	b.until("the third drawing is chosen", b.js(`document.activeElement === document.querySelector(".drawing:nth-child(3) :checked")`))
	b.ring()
	b.tabTo("#piece-form .button", 1)
	b.press(kb.Enter)
	b.see("#done", name+" is in the gallery now.")
	b.focused("id", "done")
	b.ring()
	b.tabTo("#done a", 1)
	b.press(kb.Enter)
	b.see("h1", name)
	b.tabTo(".eyebrow-date a", 10)
	b.press(kb.Enter)
	b.see("h1", "Edit a piece")
	b.tabTo(".piece-form-delete", 25)
	b.press(kb.Enter)
	b.see("h1", "Delete "+name)
	b.tabTo("#removal button", 12)
	b.press(" ")
	b.see("#done", "The piece has left the gallery.")
}

// press types keys where the focus is.
func (b *tab) press(keys string, options ...chromedp.KeyOption) {
	b.t.Helper()
	b.loaded()
	b.do(chromedp.KeyEvent(keys, options...))
}

// typeInto goes to each field in turn, wherever the focus is before, and types.
func (b *tab) typeInto(texts map[string]string, fields ...string) {
	b.t.Helper()
	for i, field := range fields {
		switch {
		case i > 0:
			b.tabTo(field, 1)
		case !b.js(`document.activeElement.matches("` + field + `")`)(b.ctx):
			b.tabTo(field, 15)
		}
		b.press(texts[field])
	}
}

// tabTo presses Tab, at most so often, until the focus is on what matches.
// Each stop has a ring, and follows the one before in the page.
func (b *tab) tabTo(selector string, most int) {
	b.t.Helper()
	var way []string
	const remember, inOrder = `window.left = document.activeElement; true`, `left === document.body || document.activeElement.matches(".skip") ||
		(left.compareDocumentPosition(document.activeElement) & Node.DOCUMENT_POSITION_FOLLOWING) > 0`
	for range most {
		b.holds("the page runs", remember)
		b.press(kb.Tab)
		way = append(way, b.ring())
		b.holds(way[len(way)-1]+" comes after what had the focus", inOrder)
		if b.js(`document.activeElement.matches(` + fmt.Sprintf("%q", selector) + `)`)(b.ctx) {
			return
		}
	}
	b.t.Fatalf("%d tabs do not lead to %s but to %s", most, selector, strings.Join(way, ", "))
}

// ring checks that what has the focus can be seen to have it: it is in the window,
// not covered, and it or what stands for it has an outline. It returns its name.
func (b *tab) ring() (name string) {
	b.t.Helper()
	const look = `(() => {
		const e = document.activeElement, name = e.tagName + (e.id && "#" + e.id) + "." + e.className, seen = [];
		if (e === document.body) return name + "|nothing has it";
		for (const [at, pseudo] of [[e, ""], [e, "::after"], [e.labels?.[0], ""]])
			if (at && getComputedStyle(at, pseudo).outlineStyle !== "none" && parseFloat(getComputedStyle(at, pseudo).outlineWidth) >= 2) seen.push(at);
		const r = e.getBoundingClientRect(), middle = (from, to, most) => (Math.max(from, 0) + Math.min(to, most)) / 2; // of what is in the window
		const [x, y] = [middle(r.left, r.right, innerWidth), middle(r.top, r.bottom, innerHeight)];
		const top = document.elementFromPoint(x, y);
		if (!seen.length) return name + "|no outline";
		if (!top || !(e.contains(top) || e.labels?.[0]?.contains(top) || top.contains(e))) return name + "|covered by " + top?.outerHTML.slice(0, 80) + " at " + x + " " + y;
		return name + "|";
	})()`
	problem := ""
	b.until("nothing moves", b.js(`document.getAnimations().length === 0`))
	b.until("something has the focus", func(ctx context.Context) bool {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](look))
		name, problem, _ = strings.Cut(got, "|")
		return err == nil
	})
	if problem != "" {
		b.t.Errorf("%s: %s", name, problem)
	}
	return name
}
