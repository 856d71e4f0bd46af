package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"craftista/shared/waittest"
	"craftista/stack/internal/local"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// tab is one person's browser.
type tab struct {
	t     *testing.T
	ctx   context.Context
	front string
}

// withAndWithoutScript runs the test in a browser with JavaScript and in one
// without.
func withAndWithoutScript(t *testing.T, s *local.Stack, test func(t *testing.T, b *tab, script bool)) {
	t.Helper()
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script=%v", script), func(t *testing.T) {
			t.Parallel()
			test(t, open(t, s, script), script)
		})
	}
}

// open starts a browser of its own, with or without script.
func open(t *testing.T, s *local.Stack, script bool) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, // root has none
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	browser := os.Getenv("CHROME")
	if browser == "" { // Debian's without a window costs less; a signal does not reach it through the script in PATH
		browser, _ = exec.LookPath("/usr/lib/chromium/chromium-headless-shell")
	}
	if browser != "" {
		options = append(options, chromedp.ExecPath(browser))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, front: s.URLs["frontend"]}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // the browser ends with this context
		t.Fatal(err)
	}
	b.refuseViolations()
	b.prefer("light")
	off := emulation.SetScriptExecutionDisabledParams{Value: !script}
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, off); err != nil {
		t.Fatal(err)
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
		e, ok := event.(*log.EventEntryAdded)
		if ok && e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			b.t.Errorf("the browser logs: %s %s", e.Entry.Text, e.Entry.URL)
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// prefer chooses a colour scheme, and reduced motion: during a view transition a
// browser drops clicks, and a test clicks faster than any person.
func (b *tab) prefer(scheme string) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-reduced-motion", Value: "reduce"}, {Name: "prefers-color-scheme", Value: scheme},
	}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
}

// do takes each step, once the page lets it.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, step := range steps {
		ctx, cancel := context.WithTimeout(b.ctx, waittest.Timeout)
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
// acting on it, so that nothing was done.
func replaced(err error) bool {
	return err != nil && strings.Contains(err.Error(), "Could not find node with given id")
}

func (b *tab) goTo(path string) { b.t.Helper(); b.do(chromedp.Navigate(b.front + path)) }

// loaded waits until the page is laid out and painted: before that a browser drops clicks and keys, or clicks go to
// where the element was.
func (b *tab) loaded() {
	b.t.Helper()
	b.until("the page is loaded", b.js(`document.readyState === "complete" &&
		performance.getEntriesByName("first-contentful-paint").length > 0`))
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

// until waits until the condition holds, and says what there is instead if that takes too long.
func (b *tab) until(what string, holds func(context.Context) bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, waittest.Timeout)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !holds(ctx) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			shown, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + ": " +
				document.querySelector("main")?.innerText.slice(0, 300) + " …, focus on " +
				document.activeElement.outerHTML.slice(0, 150)`))
			b.t.Fatalf("not so: %s; there is %s", what, shown)
		}
	}
}

// see waits until the element's text contains want.
func (b *tab) see(selector, want string) {
	b.t.Helper()
	b.until(selector+" shows "+want, b.js(fmt.Sprintf(
		`document.querySelector(%q).textContent.replace(/\s+/g, " ").includes(%q)`, selector, want)))
}

// lacks waits until the element no longer has the text.
func (b *tab) lacks(selector, text string) {
	b.t.Helper()
	b.until(selector+" no longer shows "+text, b.js(fmt.Sprintf(
		`!document.querySelector(%q).textContent.includes(%q)`, selector, text)))
}

// at waits until the address is path.
func (b *tab) at(path string) {
	b.t.Helper()
	b.until("the address is "+path, func(ctx context.Context) bool {
		got, err := chromedp.Run(ctx, chromedp.Location())
		return err == nil && got == b.front+path
	})
}

func (b *tab) submit(form string) { b.t.Helper(); b.click(form + " button:not([type=button])") }

// choose selects the option with the value as a keyboard does, by its first letter.
func (b *tab) choose(selector, value string) {
	b.t.Helper()
	b.fill(selector, value[:1])
}

func (b *tab) upload(file string) {
	b.t.Helper()
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
}

// focused waits until the focused element has that id, className or other property.
func (b *tab) focused(property, want string) {
	b.t.Helper()
	b.until("the focus is on "+want, func(ctx context.Context) bool {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.activeElement.`+property))
		return err == nil && got == want
	})
}

// back is the browser's own button. It does not wait: a page from the back/forward
// cache is not loaded again.
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

// resize sets the window's width in CSS pixels.
func (b *tab) resize(width int64) {
	b.t.Helper()
	metrics := emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1}
	if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, metrics); err != nil {
		b.t.Fatal(err)
	}
}

// opened is the tab that a link to the path opened; the caller closes it.
func (b *tab) opened(path string) (other *tab, closeTab context.CancelFunc) {
	b.t.Helper()
	other = &tab{t: b.t, front: b.front}
	b.until("another tab is at "+path, func(ctx context.Context) bool {
		all, err := chromedp.Targets(ctx)
		for _, found := range all {
			if err == nil && other.ctx == nil && strings.HasPrefix(found.URL, b.front+path) {
				other.ctx, closeTab = chromedp.NewContext(b.ctx, chromedp.WithTargetID(found.TargetID))
			}
		}
		return other.ctx != nil
	})
	if _, err := chromedp.Run(other.ctx, chromedp.Location()); err != nil { // attaches to the tab
		b.t.Fatal(err)
	}
	return other, closeTab
}

// js is a condition in the page, for until.
func (b *tab) js(condition string) func(context.Context) bool {
	return func(ctx context.Context) bool {
		holds, err := chromedp.Run(ctx, chromedp.EvaluateAsDevTools[bool](condition))
		return err == nil && holds
	}
}

// holds checks a condition in the page.
func (b *tab) holds(what, condition string) {
	b.t.Helper()
	if !b.js(condition)(b.ctx) {
		b.t.Errorf("not so: %s", what)
	}
}

// none waits until nothing in the page has the id.
func (b *tab) none(id string) {
	b.t.Helper()
	b.until("nothing is called "+id, b.js(fmt.Sprintf(
		`!!document.querySelector("main") && !document.getElementById(%q)`, id)))
}
