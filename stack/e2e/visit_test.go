package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// tab is one person's browser.
type tab struct {
	t     *testing.T
	ctx   context.Context
	front string
}

// open starts a browser of its own, with or without script.
func open(t *testing.T, s *local.Stack, script bool) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, // root has none
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	if browser := os.Getenv("CHROME"); browser != "" {
		options = append(options, chromedp.ExecPath(browser))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, front: s.URLs["frontend"]}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // the browser lives as long as this context
		t.Fatal(err)
	}
	b.refuseViolations()
	b.prefer("light")
	if !script {
		if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// refuseViolations fails the test on a breach of the content policy and on a
// script's error.
func (b *tab) refuseViolations() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, log.Enable, cdp.Empty{}); err != nil {
		b.t.Fatal(err)
	}
	err := chromedp.Listen(b.ctx, func(event any) {
		if e, ok := event.(*log.EventEntryAdded); ok && e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			b.t.Errorf("the browser says: %s %s", e.Entry.Text, e.Entry.URL)
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// prefer chooses a scheme of colours, and less motion: during a view transition a
// browser drops clicks, and no person is as quick as a test.
func (b *tab) prefer(scheme string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-reduced-motion", Value: "reduce"}, {Name: "prefers-color-scheme", Value: scheme},
	}}); err != nil {
		b.t.Fatal(err)
	}
}

// do takes each step within 30 s.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, step := range steps {
		ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
		err := chromedp.Do(ctx, step)
		for replaced(err) {
			err = chromedp.Do(ctx, step)
		}
		cancel()
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// replaced reports whether the page changed between finding an element and
// touching it, so that nothing was touched.
func replaced(err error) bool {
	return err != nil && strings.Contains(err.Error(), "Could not find node with given id")
}

func (b *tab) goTo(path string) { b.t.Helper(); b.do(chromedp.Navigate(b.front + path)) }

// loaded waits until the page is laid out and painted: before that a browser drops
// clicks and keys, or clicks go to where the element was.
func (b *tab) loaded() {
	b.t.Helper()
	b.until("the page is loaded", b.js(`document.readyState === "complete" && performance.getEntriesByName("first-contentful-paint").length > 0`))
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.loaded()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.loaded()
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// until waits for at most 30 s.
func (b *tab) until(what string, holds func(context.Context) bool) {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		ok := holds(ctx)
		cancel()
		if ok {
			return
		}
	}
	where, _ := chromedp.Run(b.ctx, chromedp.Location())
	shown, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.querySelector("main")?.innerText.slice(0, 300) + " …, focus on " + document.activeElement.outerHTML.slice(0, 150)`))
	b.t.Fatalf("at %s: not so: %s; there is: %s", where, what, shown)
}

// see waits until the element's text contains want.
func (b *tab) see(selector, want string) {
	b.t.Helper()
	b.until(selector+" shows "+want, func(ctx context.Context) bool {
		got, err := chromedp.Run(ctx, chromedp.TextContent(chromedp.CSS(selector)))
		return err == nil && strings.Contains(strings.Join(strings.Fields(got), " "), want)
	})
}

// gone waits until the element's text lacks what it had.
func (b *tab) gone(selector, text string) {
	b.t.Helper()
	b.until(selector+" no longer shows "+text, func(ctx context.Context) bool {
		got, err := chromedp.Run(ctx, chromedp.TextContent(chromedp.CSS(selector)))
		return err == nil && !strings.Contains(got, text)
	})
}

// at waits until the address is path.
func (b *tab) at(path string) {
	b.t.Helper()
	b.until("the address is "+path, func(ctx context.Context) bool {
		got, err := chromedp.Run(ctx, chromedp.Location())
		return err == nil && got == b.front+path
	})
}

func (b *tab) submit(form string) { b.t.Helper(); b.click(form + " button") }

// TestTheMainJob is the whole visit of a new person, with JavaScript and
// without.
func TestTheMainJob(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	for piece, script := range map[int]bool{1: true, 2: false} {
		t.Run(fmt.Sprintf("script=%v", script), func(t *testing.T) {
			t.Parallel()
			b, name := open(t, s, script), newcomer()
			form, button := fmt.Sprintf("#vote-%d", piece), fmt.Sprintf("#vote-button-%d", piece)
			b.goTo("/")
			b.see("#today-heading", "") // the piece of the day
			b.see("#pieces", "Paper crane")
			before := votes(t, s, piece)

			b.click(button) // nobody may vote: to the sign-in and back
			b.see("h1", "Sign in")
			b.click(`.other a`)
			b.see("h1", "account")
			b.fill("#username", name)
			b.fill("#email", name+"@example.com")
			b.fill("#password", "short")
			b.submit("#register-form")
			b.see("#register-form", "10")
			b.do(chromedp.Clear(chromedp.CSS("#password")))
			b.fill("#password", passphrase)
			b.submit("#register-form")
			b.see(".site-nav", "Sign out")
			b.goTo("/")

			b.click(button)
			b.see(button, "take the vote back")
			b.see(form+" .count", count(before+1))
			b.goTo(fmt.Sprintf("/origamis/%d", piece))
			b.see(button, "take the vote back")
			b.see(form+" .count", count(before+1))
			b.click(button)
			b.gone(button, "take the vote back") // not the wish, the answer
			b.see(form+" .count", count(before))
			if got := votes(t, s, piece); got != before {
				t.Errorf("%d votes after taking it back, want %d", got, before)
			}
			b.submit(`form[action="/logout"]`)
			b.see(".site-nav", "Sign in")
			if got, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{}); err != nil || len(got.Cookies) > 0 {
				t.Errorf("cookies after signing out: %v, %v", got.Cookies, err)
			}
		})
	}
}

// votes is the count that the catalogue tells.
func votes(t *testing.T, s *local.Stack, piece int) int {
	t.Helper()
	var got struct{ Votes int }
	r := do(t, http.DefaultClient, get(t, fmt.Sprintf("%s/api/origamis/%d/votes", s.URLs["product"], piece)))
	if err := json.Unmarshal([]byte(r.Body), &got); err != nil {
		t.Fatalf("%d %s: %v", r.Status, r.Body, err)
	}
	return got.Votes
}

func count(n int) string { return fmt.Sprintf("%d votes", n) }

// TestSessionThatRunsOut leads to the sign-in and back to where the person was.
func TestSessionThatRunsOut(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script=%v", script), func(t *testing.T) {
			t.Parallel()
			b, name := open(t, s, script), newcomer()
			b.goTo("/register?next=/origamis/3")
			b.fill("#username", name)
			b.fill("#email", name+"@example.com")
			b.fill("#password", passphrase)
			b.submit("#register-form")
			b.at("/origamis/3")
			b.see(".site-nav", "Sign out")
			if _, err := chromedp.Call(b.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
				t.Fatal(err)
			}
			b.click("#vote-button-3")
			b.at("/login?next=" + url.QueryEscape("/origamis/3#piece-3"))
			b.fill("#username", strings.ToUpper(name))
			b.fill("#password", passphrase)
			b.submit("#login-form")
			b.see(".site-nav", "Sign out")
			b.click("#vote-button-3")
			b.see("#vote-button-3", "take the vote back")
		})
	}
}

// TestVoteKeepsFocusAndSpeaks is what a person with a keyboard and a screen
// reader needs of a swap.
func TestVoteKeepsFocusAndSpeaks(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	b, name := open(t, s, true), newcomer()
	b.goTo("/register")
	b.fill("#username", name)
	b.fill("#email", name+"@example.com")
	b.fill("#password", passphrase)
	b.submit("#register-form")
	b.see(".site-nav", "Sign out")
	picks, err := chromedp.Run(b.ctx, chromedp.TextContent(chromedp.CSS("#picks")))
	if err != nil {
		t.Fatal(err)
	}
	b.loaded()
	b.do(chromedp.Focus(chromedp.CSS("#vote-button-1")), chromedp.KeyEvent("\r"))
	b.see("#vote-button-1", "take the vote back")
	b.see("#announcer", "Paper crane")
	focused, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.activeElement.id`))
	if err != nil || focused != "vote-button-1" {
		t.Errorf("focus is on %q, %v", focused, err)
	}
	if !strings.Contains(picks, "Paper crane") {
		t.Fatalf("the crane is not among the first picks: %s", picks)
	}
	b.gone("#picks", "Paper crane") // picks are swapped too: no piece that one voted for
}
