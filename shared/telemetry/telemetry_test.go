package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"craftista/shared/config"
	"craftista/shared/telemetry"
	"craftista/shared/waittest"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	resourcev1 "go.opentelemetry.io/proto/otlp/resource/v1"
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

// TestShutdownSendsWhatIsWaiting of each signal, with text that is not UTF-8, which OTLP would refuse. The request's
// caller asks not to be traced.
func TestShutdownSendsWhatIsWaiting(t *testing.T) {
	t.Parallel()
	collector := newReceiver(t, http.StatusOK)
	var stderr bytes.Buffer
	tel := start(t, telemetry.Options{
		Endpoints: telemetry.Endpoints{OTLPEndpoint: collector.url + "/"}, Log: slog.NewJSONHandler(&stderr, nil),
		Resource: []attribute.KeyValue{attribute.String("deployment.environment.name", "test")},
	})
	const caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	ctx := tel.Propagator.Extract(t.Context(), propagation.MapCarrier{"traceparent": caller})
	path := trace.WithAttributes(attribute.String("url.path", "/\xff/crane"))
	ctx, span := tel.Traces.Tracer("test").Start(ctx, "fold \xff", path)
	tel.Log.With("piece", "crane").WarnContext(ctx, "torn", "path", "/\xff/crane")
	tel.Log.DebugContext(ctx, "not for LogLevel")
	span.End()
	counter, err := tel.Metrics.Meter("test").Int64Counter("folds")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(t.Context(), 1)
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(collector.traces) != 1 || len(collector.metrics) != 1 || len(collector.logs) != 1 {
		t.Fatalf("the collector got %d, %d and %d, want one post of each signal",
			len(collector.traces), len(collector.metrics), len(collector.logs))
	}
	gotSpan := collector.traces[0].ResourceSpans[0].ScopeSpans[0].Spans[0]
	if text := gotSpan.String(); gotSpan.Name != "fold \uFFFD" || !strings.Contains(text, "/\uFFFD/crane") {
		t.Errorf("the span is %s", text)
	}
	for _, name := range []string{"folds", "go.memory.used", "process.cpu.time"} {
		if text := collector.metrics[0].String(); !strings.Contains(text, `name:"`+name+`"`) {
			t.Errorf("%s is not among the metrics %s", name, text)
		}
	}
	records := collector.logs[0].ResourceLogs[0].ScopeLogs[0].LogRecords
	if len(records) != 1 || !bytes.Equal(records[0].TraceId, gotSpan.TraceId) ||
		!bytes.Equal(records[0].SpanId, gotSpan.SpanId) || records[0].SeverityText != "WARN" {
		t.Errorf("logs %v, want one of span %s", records, gotSpan)
	}
	if got := attributes(records[0].Attributes); got["piece"] != "crane" || got["path"] != "/\uFFFD/crane" {
		t.Errorf("attributes of the log %v", got)
	}
	if strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), `"msg":"torn"`) {
		t.Errorf("standard error has %s", stderr.String())
	}
	for _, resource := range []*resourcev1.Resource{
		collector.traces[0].ResourceSpans[0].Resource, collector.metrics[0].ResourceMetrics[0].Resource,
		collector.logs[0].ResourceLogs[0].Resource,
	} {
		got := attributes(resource.Attributes)
		if id := got["service.instance.id"]; len(id) != 36 {
			t.Errorf("service.instance.id %q is no UUID", id)
		}
		for key, want := range map[string]string{
			"service.name": "test", "service.version": "v1", "service.namespace": "craftista",
			"deployment.environment.name": "test",
		} {
			if got[key] != want {
				t.Errorf("%s is %q, want %q", key, got[key], want)
			}
		}
	}
}

func attributes(all []*commonv1.KeyValue) map[string]string {
	texts := map[string]string{}
	for _, a := range all {
		texts[a.Key] = a.Value.GetStringValue()
	}
	return texts
}

// TestLogsThatCannotBeSentAreNotSentAgain: the failure is one line on standard error, and no record of its own.
func TestLogsThatCannotBeSentAreNotSentAgain(t *testing.T) {
	t.Parallel()
	collector := newReceiver(t, http.StatusBadRequest)
	var stderr bytes.Buffer
	tel := start(t, telemetry.Options{
		Endpoints: telemetry.Endpoints{LogsEndpoint: collector.url + "/v1/logs"}, Log: slog.NewJSONHandler(&stderr, nil),
	})
	tel.Log.InfoContext(t.Context(), "folded")
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(collector.logs) != 1 || len(collector.logs[0].ResourceLogs[0].ScopeLogs[0].LogRecords) != 1 {
		t.Errorf("the collector got %v", collector.logs)
	}
	if strings.Count(stderr.String(), "\n") != 2 || !strings.Contains(stderr.String(), `"msg":"logs were not sent"`) {
		t.Errorf("standard error has %s", stderr.String())
	}
}

// TestEnvironment holds what OpenTelemetry's variables do, most of them by its own libraries.
func TestEnvironment(t *testing.T) {
	collector, traces := newReceiver(t, http.StatusOK), newReceiver(t, http.StatusOK)
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT":        collector.url,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": traces.url + "/only-traces",
		"OTEL_LOGS_EXPORTER":                 "none",
		"OTEL_EXPORTER_OTLP_HEADERS":         "authorization=Basic%20a2V5",
		"OTEL_EXPORTER_OTLP_COMPRESSION":     "gzip",
		"OTEL_METRIC_EXPORT_INTERVAL":        "20",
		"OTEL_BSP_SCHEDULE_DELAY":            "20",
		"OTEL_SERVICE_NAME":                  "workshop",
		"OTEL_RESOURCE_ATTRIBUTES":           "service.name=other,deployment.environment.name=production,team=a%20few,room=1",
	} {
		t.Setenv(name, value)
	}
	o, err := config.Load(telemetry.Options{Log: slog.DiscardHandler}, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	o.Resource = []attribute.KeyValue{attribute.String("room", "2")} // as a program with several services does
	tel := start(t, o)
	_, span := tel.Traces.Tracer("test").Start(t.Context(), "fold")
	span.End()
	tel.Log.InfoContext(t.Context(), "folded")
	for _, r := range []*receiver{traces, collector} { // both intervals are over long before the defaults
		waittest.Until(t, "something is sent", func() bool { return len(r.all()) > 0 })
	}
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, r := range append(traces.all(), collector.all()...) {
		if r.Header.Get("Authorization") != "Basic a2V5" || r.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s has the headers %v", r.URL, r.Header)
		}
		if r.URL.Path != "/only-traces" && r.URL.Path != "/v1/metrics" {
			t.Errorf("something was sent to %s", r.URL)
		}
	}
	got := attributes(traces.traces[0].ResourceSpans[0].Resource.Attributes)
	if got["service.name"] != "workshop" || got["deployment.environment.name"] != "production" ||
		got["team"] != "a few" || got["room"] != "2" || got["service.version"] != "v1" {
		t.Errorf("resource %v", got)
	}
}

func TestResourceAttributesThatCannotBe(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "hunter2")
	_, err := telemetry.New(t.Context(), "test", "", telemetry.Options{})
	if err == nil || err.Error() != "OTEL_RESOURCE_ATTRIBUTES is not of the form name=value,name=value" {
		t.Errorf("got %v", err)
	}
}

func TestEndpointsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, e := range []telemetry.Endpoints{
		{OTLPEndpoint: "localhost:4318"}, {LogsEndpoint: "http://"}, {MetricsExporter: "prometheus"},
		{TracesExporter: "console", OTLPEndpoint: "http://localhost:4318"},
	} {
		if _, err := telemetry.New(t.Context(), "test", "", telemetry.Options{Endpoints: e}); err == nil {
			t.Errorf("%+v is accepted", e)
		}
	}
	for url, e := range map[string]telemetry.Endpoints{
		"":                                {TracesExporter: "none", OTLPEndpoint: "http://c:1", TracesEndpoint: "http://c:2"},
		"http://localhost:4318/v1/traces": {TracesExporter: "otlp"},
		"https://c:1/otlp/v1/traces":      {OTLPEndpoint: "https://c:1/otlp"},
		"http://c:2/t":                    {OTLPEndpoint: "http://c:1", TracesEndpoint: "http://c:2/t"},
	} {
		if got, err := e.Traces(); got != url || err != nil {
			t.Errorf("%+v: got %q, %v, want %q", e, got, err, url)
		}
	}
}

func TestShutdownDoesNotWaitForACollectorThatHangs(t *testing.T) {
	for _, export := range []string{"EXPORTER_OTLP", "BSP_EXPORT", "BLRP_EXPORT", "METRIC_EXPORT"} {
		t.Setenv("OTEL_"+export+"_TIMEOUT", "3600000") // ms
	}
	release := make(chan struct{})
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(collector.Close)
	t.Cleanup(func() { close(release) })
	var log bytes.Buffer
	tel := start(t, telemetry.Options{
		Endpoints: telemetry.Endpoints{OTLPEndpoint: collector.URL}, Log: slog.NewJSONHandler(&log, nil),
	})
	_, span := tel.Traces.Tracer("test").Start(t.Context(), "fold")
	span.End()
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), `"level":"WARN"`) {
		t.Errorf("the failure is not logged: %s", log.String())
	}
}
