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
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"craftista/shared/fault"
	"craftista/shared/telemetry"
	"craftista/shared/web"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// hold sends one event and then listens for the end.
func hold(w http.ResponseWriter, r *http.Request) error {
	if err := web.NewEvents(w, time.Second).Send([]byte("data: one\n\n")); err != nil || r.Method == http.MethodHead {
		return err
	}
	<-r.Context().Done()
	return nil
}

// streams is a router with streams at /hold, /refuse and /break, and what it
// logs and traces.
func streams(t *testing.T) (*web.Router, *bytes.Buffer, *tracetest.InMemoryExporter) {
	t.Helper()
	log, spans := &bytes.Buffer{}, tracetest.NewInMemoryExporter()
	tel, err := telemetry.New(t.Context(), "test", "", telemetry.Options{Exporter: spans, Log: slog.NewTextHandler(log, nil)})
	if err != nil {
		t.Fatal(err)
	}
	r := web.NewRouter(tel, web.Problem)
	r.Stream("/hold", hold)
	r.Stream("/refuse", func(http.ResponseWriter, *http.Request) error { return fault.New(fault.Invalid, "no") })
	r.Stream("/break", func(w http.ResponseWriter, _ *http.Request) error {
		return errors.Join(web.NewEvents(w, 0).Send(nil), errors.New("the source broke"))
	})
	return r, log, spans
}

// TestStopEndsStreamsAtOnce: cleanly, with a span and a log line like any other
// request's, and without the grace that requests get.
func TestStopEndsStreamsAtOnce(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r, log, spans := streams(t)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- web.Serve(ctx, l, r, slog.New(slog.DiscardHandler)) }()
	res, err := http.Get("http://" + l.Addr().String() + "/hold")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body := bufio.NewReader(res.Body)
	var got strings.Builder
	for !strings.HasSuffix(got.String(), "data: one\n\n") {
		line, err := body.ReadString('\n')
		if err != nil {
			t.Fatalf("after %q: %v", got.String(), err)
		}
		got.WriteString(line)
	}
	if want := "retry: 1000\n\ndata: one\n\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
	stopped := time.Now()
	stop()
	if rest, err := io.ReadAll(body); err != nil || len(rest) > 0 {
		t.Errorf("the stream ends with %q, %v", rest, err)
	}
	if err := <-served; err != nil || time.Since(stopped) > web.StopGrace/2 {
		t.Errorf("stopped after %v: %v", time.Since(stopped), err)
	}
	for _, want := range []string{"path=/hold", "status=200", "level=INFO"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log %q lacks %s", log, want)
		}
	}
	if all := spans.GetSpans(); len(all) != 1 || all[0].Name != "GET /hold" {
		t.Errorf("spans %v", all)
	}
}

func TestStreamHeaders(t *testing.T) {
	t.Parallel()
	r, _, _ := streams(t)
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "HEAD", "/hold", nil))
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff",
	} {
		if got := w.Header().Get(name); w.Code != 200 || got != want {
			t.Errorf("status %d, %s %q, want %q", w.Code, name, got, want)
		}
	}
}

// TestStreamErrors: before the first event they are answered, afterwards there
// is only the log.
func TestStreamErrors(t *testing.T) {
	t.Parallel()
	r, log, _ := streams(t)
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/refuse": {422, `"detail":"no"`},
		"/break":  {200, "retry: 0\n\n"},
	} {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.body) || want.status == 200 && w.Body.String() != want.body {
			t.Errorf("%s: %d %q, want %v", path, w.Code, w.Body, want)
		}
	}
	if !strings.Contains(log.String(), "the source broke") {
		t.Errorf("log %q lacks the cause", log)
	}
}

// TestStreamOutlivesTheServersTimeouts: those bound requests, not listeners.
func TestStreamOutlivesTheServersTimeouts(t *testing.T) {
	t.Parallel()
	r := web.NewRouter(telemetry.Discard(), web.Problem)
	ended := make(chan error, 1)
	r.Stream("/", func(w http.ResponseWriter, r *http.Request) error {
		events, late := web.NewEvents(w, 0), time.NewTimer(150*time.Millisecond) // past both timeouts
		defer late.Stop()
		err := events.Send(nil)
		select {
		case <-late.C:
			err = errors.Join(err, events.Send([]byte("data: late\n\n")))
		case <-r.Context().Done():
			err = r.Context().Err()
		}
		ended <- err
		return nil
	})
	server := httptest.NewUnstartedServer(r)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	if got := get(server.URL); got != "retry: 0\n\ndata: late\n\n" {
		t.Errorf("got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
