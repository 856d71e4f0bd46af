package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"craftista/shared/telemetry"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func TestLogLinesCarryTheTrace(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	spans := tracetest.NewInMemoryExporter()
	tel, err := telemetry.New(t.Context(), "paper", "v1", telemetry.Options{Exporter: spans, Log: slog.NewJSONHandler(&out, nil)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := tel.Traces.Tracer("test").Start(t.Context(), "fold")
	tel.Log.With("piece", "crane").InfoContext(ctx, "folded")
	span.End()

	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("log line %q: %v", out.String(), err)
	}
	for key, want := range map[string]string{
		"msg": "folded", "service": "paper", "piece": "crane",
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

func TestShutdownSendsWhatIsWaiting(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	got := map[string]int{} // guarded by mu
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Path]++
	}))
	defer collector.Close()
	tel, err := telemetry.New(t.Context(), "paper", "v1", telemetry.Options{Endpoint: collector.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.Traces.Tracer("test").Start(t.Context(), "fold")
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
	if got["/v1/traces"] != 1 || got["/v1/metrics"] != 1 {
		t.Errorf("collector saw %v, want one post of traces and one of metrics", got)
	}
}
