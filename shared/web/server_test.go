package web_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"craftista/shared/health"
	"craftista/shared/telemetry"
	"craftista/shared/waittest"
	"craftista/shared/web"
)

// gate is a log that lets its server go on from the lines of a drain when it is told to.
type gate struct{ open chan struct{} }

func (g gate) Enabled(context.Context, slog.Level) bool { return true }
func (g gate) WithAttrs([]slog.Attr) slog.Handler       { return g }
func (g gate) WithGroup(string) slog.Handler            { return g }

func (g gate) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "draining" || r.Message == "accepting no more connections" {
		<-g.open
	}
	return nil
}

// TestDrainGoesOnServing: in its first half on new connections too, in its second on those that are open, for one
// response each. Streams go on in both.
func TestDrainGoesOnServing(t *testing.T) {
	t.Parallel()
	const drain = 200 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan string)
	r := newRouter(t, telemetry.Options{})
	health.Service{}.Routes(r)
	r.Stream("/stream", 0, func(*http.Request) (web.EventStream, error) {
		return func(ctx context.Context, send func([]byte) error) error {
			for {
				select {
				case e := <-events:
					if err := send([]byte(e)); err != nil {
						return err
					}
				case <-ctx.Done():
					return nil
				}
			}
		}, nil
	})
	g := gate{make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- web.Serve(ctx, l, r, slog.New(g), drain) }()
	url := "http://" + l.Addr().String()
	stream, err := http.Get(url + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	if !stream.Close {
		t.Error("a stream's connection would be used again when the server stops")
	}
	kept, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	reader := bufio.NewReader(kept)
	onKept := func() (*http.Response, error) {
		if _, err := io.WriteString(kept, "GET /readyz HTTP/1.1\r\nHost: service\r\n\r\n"); err != nil {
			return nil, err
		}
		return http.ReadResponse(reader, nil)
	}
	check := func(res *http.Response, err error, status int, body string, last bool) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != status || res.Close != last || !strings.Contains(string(text), body) {
			t.Errorf("%d, closed %t, %s, %v", res.StatusCode, res.Close, text, err)
		}
	}
	res, err := onKept()
	check(res, err, 200, `"status":"ready"`, false)
	stop()
	res, err = http.Get(url + "/readyz")
	check(res, err, 503, `"status":"draining"`, false)
	if got := get(url + "/livez"); !strings.Contains(got, "alive") {
		t.Errorf("a request got %q", got)
	}
	events <- "data: one\n\n" // blocks if the stream has ended

	began := time.Now()
	g.open <- struct{}{}
	awaitRefusal(t, url)
	if took := time.Since(began); took < drain/2 {
		t.Errorf("it accepted for %v", took)
	}
	res, err = onKept()
	check(res, err, 503, `"status":"draining"`, true)
	events <- "data: two\n\n"

	began = time.Now()
	g.open <- struct{}{}
	rest, err := io.ReadAll(stream.Body)
	const sent = "retry: 0\n\ndata: one\n\ndata: two\n\n"
	if took := time.Since(began); err != nil || string(rest) != sent || took < drain/2 {
		t.Errorf("the stream ended after %v: %q, %v", took, rest, err)
	}
	if err := <-served; err != nil {
		t.Errorf("stop: %v", err)
	}
	if got := get(url + "/livez"); !strings.Contains(got, "refused") {
		t.Errorf("after the drain a request got %q", got)
	}
}

// TestBrokenListenerIsAnError, also if it breaks while the server drains.
func TestBrokenListenerIsAnError(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := gate{make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	broken := errors.New("broken")
	served, fail := make(chan error, 1), make(chan struct{})
	go func() {
		served <- web.Serve(ctx, breaking{l, fail, broken}, http.NotFoundHandler(), slog.New(g), 0)
	}()
	stop()
	close(fail)
	close(g.open)
	if err := <-served; !errors.Is(err, broken) {
		t.Errorf("it ends with %v", err)
	}
}

// breaking accepts nothing, and fails once it is told to.
type breaking struct {
	net.Listener
	fail  chan struct{}
	cause error
}

func (b breaking) Accept() (net.Conn, error) {
	<-b.fail
	return nil, b.cause
}

// awaitRefusal waits until the server at url accepts no connection.
func awaitRefusal(t *testing.T, url string) {
	t.Helper()
	waittest.Until(t, "connections are refused", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return true
		}
		_ = c.Close()
		return false
	})
}

func TestStopFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}), make(chan struct{})
	url, stop := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-release
		_, _ = io.WriteString(w, "finished")
	}))
	body, stopped := make(chan string, 1), make(chan error, 1)
	go func() { body <- get(url) }()
	<-started
	go func() { stopped <- stop() }()
	awaitRefusal(t, url)
	close(release)
	if got := <-body; got != "finished" {
		t.Errorf("the request in flight got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
