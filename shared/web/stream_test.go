package web_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/shared/fault"
	"craftista/shared/telemetry"
	"craftista/shared/web"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// hold sends one event and then waits for the end.
func hold(ctx context.Context, send func([]byte) error) error {
	if err := send([]byte("data: one\n\n")); err != nil {
		return err
	}
	<-ctx.Done()
	return errors.New("what a stream says that was cut off")
}

// streams returns a router with streams that hold, refuse, break and panic, and
// what it logs, to be read when the server has stopped, and traces.
func streams(t *testing.T) (*web.Router, *bytes.Buffer, *tracetest.InMemoryExporter) {
	t.Helper()
	log, spans := &bytes.Buffer{}, tracetest.NewInMemoryExporter()
	r := newRouter(t, telemetry.Options{Exporter: spans, Log: slog.NewTextHandler(log, nil)})
	for path, stream := range map[string]web.EventStream{
		"/hold":  hold,
		"/break": func(context.Context, func([]byte) error) error { return errors.New("the source broke") },
		"/panic": func(context.Context, func([]byte) error) error { panic("the stream has a bug") },
	} {
		r.Stream(path, time.Second, func(*http.Request) (web.EventStream, error) { return stream, nil })
	}
	r.Stream("/refuse", 0, func(*http.Request) (web.EventStream, error) { return nil, fault.New(fault.Invalid, "no") })
	return r, log, spans
}

// serve serves the router and returns its URL and what stops it, which gives
// Serve's error.
func serve(t *testing.T, h http.Handler) (url string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- web.Serve(ctx, l, h, slog.New(slog.DiscardHandler), 0) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-served
	})
	t.Cleanup(func() { _ = stop() })
	return "http://" + l.Addr().String(), stop
}

// TestStopEndsStreams without the time that requests get, also one whose listener
// takes nothing. The server waits for them.
func TestStopEndsStreams(t *testing.T) {
	t.Parallel()
	r, log, spans := streams(t)
	var blocked error
	r.Stream("/flood", 0, func(*http.Request) (web.EventStream, error) {
		return func(_ context.Context, send func([]byte) error) error {
			blocked = send(make([]byte, 64<<20)) // more than the buffers of a connection hold
			return blocked
		}, nil
	})
	url, stop := serve(t, r)
	flood, err := http.Get(url + "/flood")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = flood.Body.Close() }()
	res, err := http.Get(url + "/hold")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	const want = "retry: 1000\n\ndata: one\n\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	names := []string{spans.GetSpans()[0].Name, spans.GetSpans()[1].Name} // they ended when the streams began
	slices.Sort(names)
	if want := []string{"GET /flood", "GET /hold"}; !slices.Equal(names, want) {
		t.Errorf("spans %v, want %v", names, want)
	}
	if err := stop(); err != nil { // as it is if StopGrace ends them
		t.Errorf("stop: %v", err)
	}
	if blocked == nil {
		t.Error("everything was sent to a listener that takes nothing")
	}
	if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
		t.Errorf("the stream ends with %q, %v", rest, err)
	}
	lines := log.String()
	const ended = `msg="stream ended" service=test path=/flood`
	if strings.Count(lines, "error=") != 1 || !strings.Contains(lines, ended) || len(spans.GetSpans()) != 2 {
		t.Errorf("%d spans, log:\n%s", len(spans.GetSpans()), lines)
	}
}

func TestStreamHeaders(t *testing.T) {
	t.Parallel()
	r, _, _ := streams(t)
	url, _ := serve(t, r)
	for _, method := range []string{"HEAD", "GET"} {
		req, err := http.NewRequestWithContext(t.Context(), method, url+"/break", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		for name, want := range map[string]string{
			"Content-Type": "text/event-stream", "Cache-Control": "no-store",
			"X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff",
		} {
			if got := res.Header.Get(name); res.StatusCode != 200 || got != want || len(res.Header.Get("Trace-Id")) != 32 {
				t.Errorf("%s: status %d, %s %q, want %q", method, res.StatusCode, name, got, want)
			}
		}
	}
}

// TestStreamErrors: before the first event they are answered, afterwards there
// is only the log.
func TestStreamErrors(t *testing.T) {
	t.Parallel()
	r, log, _ := streams(t)
	url, stop := serve(t, r)
	const first = "retry: 1000\n\n"
	for path, want := range map[string]string{"/refuse": `"detail":"no"`, "/break": first, "/panic": first} {
		if got := get(url + path); !strings.Contains(got, want) || want == first && got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	const ended = `msg="stream ended" service=test path=`
	for _, want := range []string{
		"path=/refuse status=422", "the source broke", ended + "/break", "the stream has a bug", ended + "/panic",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log lacks %s:\n%s", want, log)
		}
	}
}

// single is a listener that accepts one connection.
type single chan net.Conn

func (s single) Accept() (net.Conn, error) {
	if c, ok := <-s; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (s single) Addr() net.Addr { return &net.TCPAddr{} }

func (s single) Close() error {
	close(s)
	return nil
}

// TestStreamsOutliveTheServersTimeouts, which hold for requests.
func TestStreamsOutliveTheServersTimeouts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := web.NewRouter(telemetry.Discard(), web.Problem)
		r.Stream("/", 0, func(*http.Request) (web.EventStream, error) {
			return func(ctx context.Context, send func([]byte) error) error {
				late, cancel := context.WithTimeout(ctx, time.Hour)
				defer cancel()
				<-late.Done() // past all timeouts, unless the stream has ended
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return send([]byte("data: late\n\n"))
			}, nil
		})
		client, service := net.Pipe()
		l := make(single, 1)
		l <- service
		server := &http.Server{Handler: r, ReadTimeout: time.Second, WriteTimeout: time.Second}
		go func() { _ = server.Serve(l) }()
		if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || string(body) != "retry: 0\n\ndata: late\n\n" {
			t.Errorf("got %q, %v", body, err)
		}
		_ = server.Close()
	})
}

// TestStreamEndsWithItsListener: at once if it disconnects, and soon if it takes
// nothing.
func TestStreamEndsWithItsListener(t *testing.T) {
	t.Parallel()
	r := web.NewRouter(telemetry.Discard(), web.Problem)
	ended := make(chan error, 1)
	r.Stream("/", 0, func(req *http.Request) (web.EventStream, error) {
		return func(ctx context.Context, send func([]byte) error) (err error) {
			defer func() { ended <- err }()
			if req.URL.RawQuery == "flood" {
				return send(make([]byte, 64<<20))
			}
			<-ctx.Done()
			return nil
		}, nil
	})
	url, _ := serve(t, r)
	for query, want := range map[string]error{"hangs-up": nil, "flood": os.ErrDeadlineExceeded} {
		res, err := http.Get(url + "?" + query)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			_ = res.Body.Close()
		}
		if err := <-ended; !errors.Is(err, want) {
			t.Errorf("%s ended with %v, want %v", query, err, want)
		}
		_ = res.Body.Close()
	}
}

// TestOneListenerTooMany is refused until another has left, and does not stay connected.
func TestOneListenerTooMany(t *testing.T) {
	t.Parallel()
	r := newRouter(t, telemetry.Options{})
	r.MaxListeners = 1
	left := make(chan struct{}, 1)
	r.Stream("/", 0, func(*http.Request) (web.EventStream, error) { return hold, nil })
	url, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer func() { left <- struct{}{} }()
		r.ServeHTTP(w, req)
	}))
	listen := func(want int) *http.Response {
		t.Helper()
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		if res.StatusCode != want {
			t.Errorf("status %d, want %d", res.StatusCode, want)
		}
		return res
	}
	first := listen(200)
	refused := listen(503)
	if !refused.Close || refused.Header.Get("Retry-After") != "10" {
		t.Errorf("one too many: %v, closed %t", refused.Header, refused.Close)
	}
	<-left
	_ = first.Body.Close()
	<-left
	listen(200)
}
