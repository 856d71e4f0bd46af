package page_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"craftista/frontend/internal/page"
	"craftista/shared/web"
)

// upstream is one connection to the fake catalogue's stream.
type upstream struct {
	ids    string
	send   chan<- string   // "" ends the stream
	closed <-chan struct{} // by the site
}

// serveStream hands each listener of the catalogue to the test.
func (w *website) serveStream() <-chan upstream {
	listeners := make(chan upstream, 9)
	w.product.HandleFunc("GET /api/votes/stream", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(rw).Flush()
		send := make(chan string)
		listeners <- upstream{r.URL.Query().Get("ids"), send, r.Context().Done()}
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
func listen(t *testing.T, site *httptest.Server, query string) *listener {
	t.Helper()
	res := open(t, site.URL+"/live?"+query)
	check(t, "the stream", res.StatusCode, 200, res.Header.Get("Content-Type"), "text/event-stream",
		res.Header.Get("Cache-Control"), "no-store")
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

func vote(id, votes string) string {
	return "event: vote\ndata: {\"origami_id\":" + id + ",\"votes\":" + votes + "}\n\n"
}

const (
	crane = `<hx-partial hx-target="[data-count=&#39;1&#39;]" hx-swap="textContent">42 votes</hx-partial>`
	fox   = `<hx-partial hx-target="[data-count=&#39;2&#39;]" hx-swap="textContent">1 vote</hx-partial>`
)

// TestLiveCounts: what comes at once is one event.
func TestLiveCounts(t *testing.T) {
	w := startWebsite(t)
	catalogue, site := w.serveStream(), w.plain(page.Settings{})
	browser := listen(t, site, "ids=2,1,2")
	up := <-catalogue
	check(t, "asked for", up.ids, "1,2")
	up.send <- ": still here\n\n" + vote("1", "42") + vote("2", "1")
	check(t, "the event", browser.next(), "data: "+crane+fox)
	_ = browser.body.Close()
	<-up.closed // nobody listens now
}

// TestLiveTriesAgain while the catalogue is unavailable, ends its stream or sends nonsense.
func TestLiveTriesAgain(t *testing.T) {
	w := startWebsite(t)
	w.product.failure.Store(broken)
	catalogue, site := w.serveStream(), w.plain(page.Settings{})
	browser := listen(t, site, "ids=1")
	for tries := w.product.asked.Load(); tries < 2; tries = w.product.asked.Load() {
		runtime.Gosched() // until it was asked again
	}
	w.product.failure.Store(none)
	for votes, end := range map[string]string{"42": "", "43": "data: nonsense\n\n", "44": ""} {
		up := <-catalogue
		up.send <- vote("1", votes)
		check(t, "the event", browser.next(), "data: "+strings.Replace(crane, "42", votes, 1))
		up.send <- end
	}
}

func TestLiveRefuses(t *testing.T) {
	w := startWebsite(t)
	tooMany, tooLarge := "1"+strings.Repeat(",1", 100), "9223372036854775808"
	for _, ids := range []string{"", "0", "-1", "x", "1,", "1,,2", "1, 2", tooLarge, tooMany} {
		a := w.get("/live?ids="+strings.ReplaceAll(ids, " ", "+"), w.byHtmx("/"))
		a.check(t, ids, 422, a.header.Get("Cache-Control"), "private, no-store")
	}
	catalogue, site := w.serveStream(), w.plain(page.Settings{MaxListeners: 1})
	listen(t, site, "ids=1"+strings.Repeat(",1", 99))
	<-catalogue
	res := open(t, site.URL+"/live?ids=1")
	check(t, "one too many", res.StatusCode, 503, res.Header.Get("Retry-After"), "10")
}

// TestLiveEndsWithTheServer at once, and the catalogue's stream with it.
func TestLiveEndsWithTheServer(t *testing.T) {
	w := startWebsite(t)
	catalogue := w.serveStream()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- web.Serve(ctx, l, w.router(page.Settings{}), slog.New(slog.DiscardHandler), 0) }()
	res := open(t, "http://"+l.Addr().String()+"/live?ids=1")
	up := <-catalogue
	stop()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Errorf("the stream ends with %v", err)
	}
	<-up.closed
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestListenersShareASubscription, which begins anew for who joins, so that nobody gets a count of before.
func TestListenersShareASubscription(t *testing.T) {
	w := startWebsite(t)
	catalogue, site := w.serveStream(), w.plain(page.Settings{})
	first := listen(t, site, "ids=1,2")
	up := <-catalogue
	up.send <- vote("1", "42") + vote("2", "1")
	check(t, "the first", first.next(), "data: "+crane+fox)
	second := listen(t, site, "ids=1,3")
	<-up.closed
	up = <-catalogue
	check(t, "asked for", up.ids, "1,2,3")
	up.send <- vote("1", "41") + vote("2", "1") + vote("3", "7")
	fewer := strings.Replace(crane, "42", "41", 1)
	whale := strings.NewReplacer("&#39;1&#39;", "&#39;3&#39;", "42", "7").Replace(crane)
	check(t, "the first gets what changed", first.next(), "data: "+fewer)
	check(t, "the second gets all", second.next(), "data: "+fewer+whale)
	_ = first.body.Close()
	up.send <- vote("3", "42")
	check(t, "the second stays", second.next(), "data: "+strings.Replace(whale, "7 v", "42 v", 1))
	_ = second.body.Close()
	<-up.closed
}

// TestSlowReadersDelayNobody: they get the latest counts or are dropped, and nothing piles up for them.
func TestSlowReadersDelayNobody(t *testing.T) {
	w := startWebsite(t)
	catalogue, site := w.serveStream(), w.plain(page.Settings{})
	var ids, votes strings.Builder
	for id := 101; id <= 200; id++ {
		_, _ = fmt.Fprintf(&ids, ",%d", id)
		votes.WriteString(vote(strconv.Itoa(id), "COUNT"))
	}
	listen(t, site, "ids="+ids.String()[1:]) // and reads nothing
	<-catalogue
	quick := listen(t, site, "ids=1")
	up := <-catalogue
	for n := 0; !strings.Contains(w.log.String(), "stream ended"); n++ {
		count := strconv.Itoa(42 + n%2)
		up.send <- strings.ReplaceAll(votes.String(), "COUNT", count) + vote("1", count)
		check(t, "the quick one", quick.next(), "data: "+strings.Replace(crane, "42", count, 1))
	}
}
