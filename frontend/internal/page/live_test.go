package page_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"craftista/frontend/internal/page"
	"craftista/shared/web"

	"github.com/google/go-cmp/cmp"
)

// upstream is one connection to the fake catalogue's stream.
type upstream struct {
	ids, position string
	send          chan<- string // "" hangs up
	gone          <-chan struct{}
}

// serveStream hands each listener of the catalogue to the test.
func (w *website) serveStream() <-chan upstream {
	listeners := make(chan upstream, 9)
	w.product.HandleFunc("GET /api/votes/stream", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(rw).Flush()
		send := make(chan string)
		listeners <- upstream{r.URL.Query().Get("ids"), r.Header.Get("Last-Event-ID"), send, r.Context().Done()}
		for {
			select {
			case <-r.Context().Done():
				return
			case text := <-send:
				if text == "" {
					return
				}
				_, _ = io.WriteString(rw, text)
				_ = http.NewResponseController(rw).Flush()
			}
		}
	})
	return listeners
}

// listener is a browser on /live.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
	body  io.Closer
}

// listen opens the stream on a site of its own, without the contract, which
// would wait for its end.
func listen(t *testing.T, site *httptest.Server, query, position string) *listener {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL+"/live?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if position != "" {
		r.Header.Set("Last-Event-ID", position)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	return &listener{t, bufio.NewScanner(res.Body), res.Body}
}

// next is the next event's lines, heartbeats apart.
func (l *listener) next() string {
	l.t.Helper()
	var event []string
	for l.lines.Scan() {
		switch line := l.lines.Text(); {
		case line == "" && len(event) > 0:
			return strings.Join(event, "\n")
		case line != "" && line[0] != ':' && !strings.HasPrefix(line, "retry:"):
			event = append(event, line)
		}
	}
	l.t.Fatalf("the stream ends: %v", l.lines.Err())
	return ""
}

func (w *website) plain(settings page.Settings) *httptest.Server {
	site := httptest.NewServer(w.router(settings))
	w.t.Cleanup(site.Close)
	return site
}

func vote(position, id, votes string) string {
	return "id: " + position + "\nevent: vote\ndata: {\"origami_id\":" + id + ",\"votes\":" + votes + "}\n\n"
}

const (
	crane = `<hx-partial hx-target=".votes-1" hx-swap="textContent">42 votes</hx-partial>`
	fox   = `<hx-partial hx-target=".votes-2" hx-swap="textContent">1 vote</hx-partial>`
)

// TestLiveCounts: what comes at once is one event, which names the last.
func TestLiveCounts(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	catalogue, site := w.serveStream(), w.plain(page.Settings{})
	browser := listen(t, site, "ids=2,1,2", "")
	up := <-catalogue
	if up.ids != "1,2" || up.position != "" {
		t.Errorf("asked for %q from %q", up.ids, up.position)
	}
	up.send <- ": still here\n\n" + vote("7", "1", "42") + vote("9", "2", "1")
	if diff := cmp.Diff("id: 9\ndata: "+crane+fox, browser.next()); diff != "" {
		t.Error(diff)
	}
	_ = browser.body.Close()
	<-up.gone // nobody listens any more
}

// TestLiveGoesOn: with the catalogue's next stream where the last one ended, and
// with the browser's where the browser lost it.
func TestLiveGoesOn(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	w.product.failure.Store(broken)
	catalogue, site := w.serveStream(), w.plain(page.Settings{})
	browser := listen(t, site, "ids=1", "5")
	for w.product.asked.Load() < 2 { // away, and asked again
		<-time.After(10 * time.Millisecond)
	}
	w.product.failure.Store(none)
	up := <-catalogue
	if up.position != "5" {
		t.Errorf("begins at %q", up.position)
	}
	up.send <- vote("7", "1", "42")
	if got := browser.next(); got != "id: 7\ndata: "+crane {
		t.Errorf("got %q", got)
	}
	up.send <- ""
	if up = <-catalogue; up.position != "7" {
		t.Errorf("goes on at %q", up.position)
	}
	up.send <- "data: nonsense\n\n"
	if up = <-catalogue; up.position != "7" {
		t.Errorf("after nonsense goes on at %q", up.position)
	}
	listen(t, site, "ids=1", "x5\t")
	if up = <-catalogue; up.position != "" {
		t.Errorf("a position that is none: %q", up.position)
	}
}

func TestLiveRefuses(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	for _, ids := range []string{"", "0", "-1", "x", "1,", "1,,2", "1, 2", "9223372036854775808", "1" + strings.Repeat(",1", 100)} {
		if a := w.get("/live?ids="+strings.ReplaceAll(ids, " ", "+"), w.byHtmx("/")); a.status != http.StatusUnprocessableEntity || a.header.Get("Cache-Control") != "private, no-store" {
			t.Errorf("%q: %d %s", ids, a.status, a.body)
		}
	}
	catalogue, site := w.serveStream(), w.plain(page.Settings{MaxListeners: 1})
	listen(t, site, "ids=1"+strings.Repeat(",1", 99), "")
	<-catalogue
	res, err := http.Get(site.URL + "/live?ids=1")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "10" {
		t.Errorf("one too many: %d %v", res.StatusCode, res.Header)
	}
}

// TestLiveEndsWithTheServer at once, and the catalogue's stream with it.
func TestLiveEndsWithTheServer(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	catalogue := w.serveStream()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- web.Serve(ctx, l, w.router(page.Settings{}), slog.New(slog.DiscardHandler)) }()
	res, err := http.Get("http://" + l.Addr().String() + "/live?ids=1")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	up := <-catalogue
	stop()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Errorf("the stream ends with %v", err)
	}
	<-up.gone
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestLiveDropsSlowReaders, so that nothing piles up for them.
func TestLiveDropsSlowReaders(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	catalogue, site := w.serveStream(), w.plain(page.Settings{})
	listen(t, site, "ids=1", "") // and reads nothing
	up := <-catalogue
	for many := strings.Repeat(vote("7", "1", "42"), 1000); ; {
		select {
		case up.send <- many:
		case <-up.gone:
			return
		}
	}
}
