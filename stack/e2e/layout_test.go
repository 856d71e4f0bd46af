package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"craftista/frontend"
	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestHostileTexts shows products with names and descriptions that product would
// refuse, on a narrow screen and a wide one: no script runs, and nobody has to
// scroll sideways.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	b := open(t, s, true)
	b.front = hostileFront(t, s)
	for _, path := range []string{
		"/", "/origamis/1", "/origamis/2", "/origamis/3", "/origamis/4", "/origamis/5", "/origamis/6",
		"/daily", "/daily?month=2026-11",
		"/status",
	} {
		b.goTo(path)
		for _, width := range []int64{320, 1440} {
			b.resize(width)
			b.fits(path)
		}
	}
}

// TestOnPaper holds that the text of a printed page has more room than the picture.
func TestOnPaper(t *testing.T) {
	t.Parallel()
	b := open(t, stacktest.Start(t, nil), true)
	b.resize(1047) // A4 across
	paper := emulation.SetEmulatedMediaParams{Media: "print"}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, paper); err != nil {
		t.Fatal(err)
	}
	for path, selectors := range map[string][2]string{
		"/": {".today-text", ".today .sheet"}, "/daily": {".today-text", ".today .sheet"},
		"/origamis/1": {".piece-text", ".piece .sheet"},
	} {
		b.goTo(path)
		b.fits(path)
		b.holds(path, `document.querySelector("`+selectors[0]+`").getBoundingClientRect().width >
			document.querySelector("`+selectors[1]+`").getBoundingClientRect().width`)
	}
}

// TestTextTwiceAsLarge is a phone of 360 px with text at 200 %: the page is then
// like one of half the width, and nothing covers anything.
func TestTextTwiceAsLarge(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	b := open(t, s, true)
	b.become(s, "admin")
	b.resize(180)
	for _, path := range []string{
		"/", "/origamis/1", "/daily", "/status", "/account", "/admin/people", "/admin/pieces", "/admin/pieces/1/edit",
		"/admin/pieces/1/delete",
	} {
		b.goTo(path)
		b.fits(path)
		b.holds(path+": the brand stands alone", `(() => {
			const brand = document.querySelector(".brand-name").getBoundingClientRect();
			return [...document.querySelectorAll(".site-nav :is(a, button)")].every((e) =>
				e.getBoundingClientRect().top >= brand.bottom || !e.getClientRects().length);
		})()`)
	}
	b.goTo("/")
	b.holds("there is room to type", `document.querySelector("#q").offsetWidth > 120`)
}

// hostileTexts are for the products, by turns.
func hostileTexts() []string {
	return []string{
		strings.Repeat("W", 10_000),
		`"><script>document.title="run"</script><img src=x onerror=document.title="run">` +
			`<style>*{width:4000px}</style></title>`,
		strings.Repeat("\U0001F9A2\U0001D4D2\u200d", 100),
		"\u202e" + strings.Repeat("txet\u00a0desrever\u00a0", 20) + "\u2067",
		strings.Repeat("كركي", 500) + " (origami)",
		strings.Repeat("Z"+strings.Repeat("\u0310\u0337\u0489", 12), 50),
	}
}

// fits checks that the page is no wider than the window, that no script in it ran, and that nothing moves, since tabs
// prefer reduced motion. It names the elements that are too wide.
func (b *tab) fits(what string) {
	b.t.Helper()
	const widest = `(() => {
		if (document.title === "run") return "a script ran";
		const width = document.documentElement.clientWidth, page = document.documentElement.scrollWidth;
		const out = [...document.querySelectorAll("main *, header *, footer *")].filter(e =>
			e.getBoundingClientRect().right > width + 1 && e.getClientRects().length && !e.closest(".visually-hidden, .skip"));
		const moving = document.getAnimations().map(a => a.effect.target.tagName + ": " + a.transitionProperty);
		if (moving.length) return "moves: " + moving.slice(0, 8);
		return page > width ? width + " " + page + " " + out.map(e => e.tagName + "." + e.className).slice(0, 8) : "";
	})()`
	got, err := chromedp.Run(b.ctx, chromedp.EvaluateAsDevTools[string](widest))
	if err != nil {
		b.t.Fatal(err)
	}
	if got != "" {
		b.t.Errorf("%s: %s", what, got)
	}
}

// hostileFront is a frontend for which every product has a hostile name,
// description, paper and reason, and every service a hostile version.
func hostileFront(t *testing.T, s *local.Stack) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := frontend.Default()
	c.Listener, c.Log, c.AuthURL, c.InternalAPIKey = listener, slog.DiscardHandler, s.URLs["auth"], "unused"
	c.ProductURL = withHostileTexts(t, s.URLs["product"])
	c.RecommendationURL = withHostileTexts(t, s.URLs["recommendation"])
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- frontend.Run(ctx, c) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + listener.Addr().String()
}

// withHostileTexts is the service with other texts in its JSON.
func withHostileTexts(t *testing.T, service string) string {
	t.Helper()
	u, err := url.Parse(service)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) },
		ModifyResponse: func(res *http.Response) error {
			body, err := io.ReadAll(res.Body)
			if err != nil {
				return err
			}
			var v any
			if json.Unmarshal(body, &v) == nil {
				body, err = json.Marshal(replaceTexts(v))
			}
			res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			res.Header.Del("Content-Length")
			return err
		},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

func replaceTexts(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = replaceTexts(v[i])
		}
	case map[string]any:
		id, _ := v["id"].(float64)
		for _, key := range []string{"name", "description", "paper", "maker", "reason", "difficulty", "version", "hostname"} {
			if _, ok := v[key]; ok {
				v[key] = hostileTexts()[int(id)%len(hostileTexts())]
			}
		}
	}
	return v
}
