package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/shared/telemetry"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func start(t *testing.T, o telemetry.Options) *telemetry.Telemetry {
	t.Helper()
	tel, err := telemetry.New(t.Context(), "test", "v1", o)
	if err != nil {
		t.Fatal(err)
	}
	return tel
}

func TestLogLinesCarryTheTrace(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	spans := tracetest.NewInMemoryExporter()
	tel := start(t, telemetry.Options{Exporter: spans, Log: slog.NewJSONHandler(&out, nil)})
	ctx, span := tel.Traces.Tracer("test").Start(t.Context(), "fold")
	tel.Log.With("piece", "crane").InfoContext(ctx, "folded")
	span.End()

	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("log line %q: %v", out.String(), err)
	}
	for key, want := range map[string]string{
		"msg": "folded", "service": "test", "piece": "crane",
		"trace_id": telemetry.TraceID(ctx), "span_id": span.SpanContext().SpanID().String(),
	} {
		if got := line[key]; got != want {
			t.Errorf("%s is %v, want %q", key, got, want)
		}
	}
	if got := spans.GetSpans(); len(got) != 1 || got[0].Name != "fold" {
		t.Errorf("exported %v, want the one span", got)
	}
	if got := telemetry.TraceID(t.Context()); got != "" {
		t.Errorf("trace id %q outside a trace", got)
	}
}

// TestShutdownSendsWhatIsWaiting has a span whose text is not UTF-8, which OTLP would refuse, and which is of a request
// whose caller asks not to be traced.
func TestShutdownSendsWhatIsWaiting(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	got := map[string][]string{} // bodies by path, guarded by mu
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Path] = append(got[r.URL.Path], string(body))
	}))
	defer collector.Close()
	tel := start(t, telemetry.Options{OTLPEndpoint: collector.URL})
	const caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	ctx := tel.Propagator.Extract(t.Context(), propagation.MapCarrier{"traceparent": caller})
	path := trace.WithAttributes(attribute.String("url.path", "/\xff/crane"))
	_, span := tel.Traces.Tracer("test").Start(ctx, "fold \xff", path)
	span.End()
	counter, err := tel.Metrics.Meter("test").Int64Counter("folds")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(t.Context(), 1)
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got["/v1/traces"]) != 1 || len(got["/v1/metrics"]) != 1 {
		t.Fatalf("the collector got %q, want one post of traces and one of metrics", got)
	}
	spans := got["/v1/traces"][0]
	if !strings.Contains(spans, "fold \uFFFD") || !strings.Contains(spans, "/\uFFFD/crane") {
		t.Errorf("the collector got %q", spans)
	}
}

func TestShutdownDoesNotWaitForACollectorThatHangs(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(collector.Close)
	t.Cleanup(func() { close(release) })
	var log bytes.Buffer
	tel := start(t, telemetry.Options{OTLPEndpoint: collector.URL, Log: slog.NewJSONHandler(&log, nil)})
	_, span := tel.Traces.Tracer("test").Start(t.Context(), "fold")
	span.End()
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second) // less than an export may take
	defer cancel()
	if err := tel.Shutdown(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("got %v, %v", err, ctx.Err())
	}
	if !strings.Contains(log.String(), `"level":"WARN"`) {
		t.Errorf("the failure is not logged: %s", log.String())
	}
}
