package web_test

import (
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

// gate is a log that lets its server go on from the line "draining" once open is closed.
type gate struct{ open chan struct{} }

func (g gate) Enabled(context.Context, slog.Level) bool { return true }
func (g gate) WithAttrs([]slog.Attr) slog.Handler       { return g }
func (g gate) WithGroup(string) slog.Handler            { return g }

func (g gate) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "draining" {
		<-g.open
	}
	return nil
}

// TestDrainGoesOnServing and says that clients had better leave; streams go on as well.
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
	check := func(status int, body string, last bool) {
		t.Helper()
		res, err := http.Get(url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != status || res.Close != last || !strings.Contains(string(text), body) {
			t.Errorf("%d, closed %t, %s, %v", res.StatusCode, res.Close, text, err)
		}
	}
	check(200, `"status":"ready"`, false)
	stop()
	check(503, `"status":"draining"`, true)
	if got := get(url + "/livez"); !strings.Contains(got, "alive") {
		t.Errorf("a request got %q", got)
	}
	events <- "data: one\n\n" // blocks if the stream has ended
	began := time.Now()
	close(g.open)
	rest, err := io.ReadAll(stream.Body)
	if took := time.Since(began); err != nil || string(rest) != "retry: 0\n\ndata: one\n\n" || took < drain {
		t.Errorf("the stream ended after %v: %q, %v", took, rest, err)
	}
	if err := <-served; err != nil {
		t.Errorf("stop: %v", err)
	}
	if got := get(url + "/livez"); !strings.Contains(got, "refused") {
		t.Errorf("after the drain a request got %q", got)
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
	for refused := false; !refused; { // until it stops accepting
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if refused = err != nil; !refused {
			_ = c.Close()
		}
	}
	close(release)
	if got := <-body; got != "finished" {
		t.Errorf("the request in flight got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
