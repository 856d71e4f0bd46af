package web_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"craftista/shared/health"
	"craftista/shared/telemetry"
	"craftista/shared/web"
)

// gate is a log that lets its server go on from the lines of a drain when it is told to.
type gate struct{ open chan struct{} }

func (g gate) Enabled(context.Context, slog.Level) bool { return true }
func (g gate) WithAttrs([]slog.Attr) slog.Handler       { return g }
func (g gate) WithGroup(string) slog.Handler            { return g }

func (g gate) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "draining" || r.Message == "not accepting" {
		<-g.open
	}
	return nil
}

// TestDrainGoesOnServing, new connections at first, then those that it has, as the last of each; streams go on as well.
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
	unused, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unused.Close() }()
	stream, err := http.Get(url + "/stream") // so the connection before is accepted
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	check := func(res *http.Response, err error, body string, last bool) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.Close != last || !strings.Contains(string(text), body) {
			t.Errorf("%d, closed %t, %s, %v", res.StatusCode, res.Close, text, err)
		}
	}
	ready := func() (*http.Response, error) { return http.Get(url + "/readyz") }
	res, err := ready()
	check(res, err, `"status":"ready"`, false)
	stop()
	res, err = ready()
	check(res, err, `"status":"draining"`, false)
	events <- "data: one\n\n" // blocks if the stream has ended

	began := time.Now()
	g.open <- struct{}{}
	awaitRefusal(url)
	if took := time.Since(began); took < drain/2 {
		t.Errorf("it accepted for %v", took)
	}
	_, err = io.WriteString(unused, "GET /readyz HTTP/1.1\r\nHost: service\r\n\r\n")
	if err != nil {
		t.Error(err)
	}
	res, err = http.ReadResponse(bufio.NewReader(unused), nil)
	check(res, err, `"status":"draining"`, true)
	events <- "data: two\n\n"

	began = time.Now()
	g.open <- struct{}{}
	rest, err := io.ReadAll(stream.Body)
	if took := time.Since(began); err != nil || string(rest) != "retry: 0\n\ndata: one\n\ndata: two\n\n" || took < drain/2 {
		t.Errorf("the stream ended after %v: %q, %v", took, rest, err)
	}
	if err := <-served; err != nil {
		t.Errorf("stop: %v", err)
	}
}

// awaitRefusal waits until the server at url accepts no connection.
func awaitRefusal(url string) {
	for {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return
		}
		_ = c.Close()
		time.Sleep(time.Millisecond)
	}
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
	awaitRefusal(url)
	close(release)
	if got := <-body; got != "finished" {
		t.Errorf("the request in flight got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
