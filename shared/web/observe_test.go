package web_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"craftista/shared/fault"
	"craftista/shared/telemetry"
	"craftista/shared/web"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// spanOf sends the request through a router and returns its span and response.
func spanOf(t *testing.T, r *http.Request) (tracetest.SpanStub, *httptest.ResponseRecorder) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	router := newRouter(t, telemetry.Options{Exporter: spans})
	router.Post("/piece/{id}", func(w http.ResponseWriter, _ *http.Request) error { return web.Reply(w, 201, "made") })
	router.Get("/broken", func(http.ResponseWriter, *http.Request) error { return errors.New("torn") })
	router.Get("/panic", func(http.ResponseWriter, *http.Request) error { panic("torn") })
	router.Get("/cut", func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) })
	res := httptest.NewRecorder()
	func() {
		defer func() { _ = recover() }() // what cuts the connection, as net/http does
		router.ServeHTTP(res, r)
	}()
	got := spans.GetSpans()
	if len(got) != 1 {
		t.Fatalf("%d spans, want one", len(got))
	}
	return got[0], res
}

func attributes(s tracetest.SpanStub) map[string]string {
	all := map[string]string{}
	for _, a := range s.Attributes {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

func TestSpanSaysWhatTheConventionsAsk(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "http://shop.example:8000/piece/7?x=1", strings.NewReader("{}"))
	r.RemoteAddr = "[2001:db8::1]:1234"
	r.Header.Set("User-Agent", "test/1.0")
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
	span, res := spanOf(t, r)
	got := attributes(span)
	for key, want := range map[string]string{
		"http.request.method": "POST", "url.scheme": "http", "http.response.status_code": "201", "http.route": "/piece/{id}",
		"url.path": "/piece/7", "http.response.body.size": "6", "network.protocol.version": "1.1",
		"server.address": "shop.example", "server.port": "8000", "network.peer.address": "2001:db8::1",
		"user_agent.original": "test/1.0",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	if span.Name != "POST /piece/{id}" || span.SpanKind != trace.SpanKindServer || span.Status.Code != codes.Unset {
		t.Errorf("span %q of kind %v, status %v", span.Name, span.SpanKind, span.Status)
	}
	traceID, parent := res.Header().Get("Trace-Id"), span.Parent.SpanID().String()
	if traceID != "4bf92f3577b34da6a3ce929d0e0e4736" || parent != "00f067aa0ba902b7" {
		t.Errorf("trace %s below %s, want the caller's", traceID, parent)
	}
}

func TestSpansOfWhatGoesWrong(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		method, path, name, sent string
		status                   string
		code                     codes.Code
	}{
		{"GET", "/broken", "GET /broken", "GET", "500", codes.Error},
		{"HEAD", "/broken", "HEAD /broken", "HEAD", "500", codes.Error},
		{"GET", "/panic", "GET /panic", "GET", "500", codes.Error},
		{"GET", "/nowhere/7", "GET", "GET", "404", codes.Unset},
		{"FOLD", "/broken", "HTTP", "_OTHER", "405", codes.Unset},
		{"GET", "/cut", "GET", "GET", "", codes.Unset},
	} {
		span, _ := spanOf(t, httptest.NewRequest(row.method, row.path, nil))
		got := attributes(span)
		if span.Name != row.name || got["http.request.method"] != row.sent || span.Status.Code != row.code ||
			got["http.response.status_code"] != row.status {
			t.Errorf("%s %s: %q %v %v", row.method, row.path, span.Name, got, span.Status)
		}
	}
}

// TestCallersCannotMakeSeries: whatever host, port, method or path a caller makes up, it is measured with the others.
func TestCallersCannotMakeSeries(t *testing.T) {
	t.Parallel()
	reader := metric.NewManualReader()
	router := newRouter(t, telemetry.Options{Reader: reader})
	router.Get("/piece/{id}", ok)
	for _, request := range []string{
		"GET http://a.example/piece/1", "GET http://b.example:81/piece/2", "GET http://b.example/nowhere",
		"GET http://b.example:82/nowhere/else", "FOLD http://b.example/piece/1", "CREASE http://b.example/piece/1",
	} {
		method, url, _ := strings.Cut(request, " ")
		send(router, method, url)
	}
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, m := range allMetrics(all) {
		points, ok := m.Data.(metricdata.Histogram[float64])
		if m.Name != "http.server.request.duration" || !ok {
			continue
		}
		for _, point := range points.DataPoints {
			method, _ := point.Attributes.Value("http.request.method")
			route, _ := point.Attributes.Value("http.route")
			got[method.AsString()+" "+route.AsString()] += point.Count
		}
		if len(points.DataPoints) != 3 {
			t.Errorf("%d series, want 3", len(points.DataPoints))
		}
	}
	want := map[string]uint64{"GET /piece/{id}": 2, "GET ": 2, "_OTHER ": 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests by series (-want +got):\n%s", diff)
	}
}

// TestFailuresAreMeasured: an answer with a part missing is one, a caller's mistake, a caller who left and a
// probe are none.
func TestFailuresAreMeasured(t *testing.T) {
	t.Parallel()
	reader := metric.NewManualReader()
	router := newRouter(t, telemetry.Options{Reader: reader})
	unavailable := fault.New(fault.Unavailable, "product does not answer")
	router.Get("/whole", ok)
	router.Get("/broken", func(http.ResponseWriter, *http.Request) error { return errors.New("a bug") })
	router.Get("/unavailable", func(http.ResponseWriter, *http.Request) error { return unavailable })
	router.Get("/refused", func(http.ResponseWriter, *http.Request) error { return fault.New(fault.Conflict, "no") })
	router.Get("/part", func(w http.ResponseWriter, r *http.Request) error {
		web.RecordError(r.Context(), unavailable)
		return ok(w, r)
	})
	router.Get("/probe", func(_ http.ResponseWriter, r *http.Request) error {
		web.LogAtDebug(r.Context())
		return unavailable
	})
	for _, path := range []string{"/whole", "/broken", "/unavailable", "/refused", "/part", "/probe"} {
		send(router, "GET", path)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	router.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/part", nil).WithContext(gone))
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, m := range allMetrics(all) {
		if m.Name != "http.server.request.duration" {
			continue
		}
		for _, point := range m.Data.(metricdata.Histogram[float64]).DataPoints {
			route, _ := point.Attributes.Value("http.route")
			failure, _ := point.Attributes.Value("error.type")
			got[route.AsString()+" "+failure.AsString()] += point.Count
		}
	}
	want := map[string]uint64{
		"/whole ": 1, "/broken 500": 1, "/unavailable 503": 1, "/refused ": 1, "/part incomplete": 1, "/part ": 1,
		"/probe ": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests by route and failure (-want +got):\n%s", diff)
	}
}

// TestDurationsLeadToTheirTraces: the durations are seconds, in the buckets of the conventions, with an exemplar for
// each request that is sampled.
func TestDurationsLeadToTheirTraces(t *testing.T) {
	t.Parallel()
	for sampler, sampled := range map[string]bool{"always_on": true, "always_off": false} {
		reader := metric.NewManualReader()
		o := telemetry.Options{Reader: reader, Sampling: telemetry.Sampling{Sampler: sampler}}
		router := newRouter(t, o)
		router.Get("/piece/{id}", ok)
		id := send(router, "GET", "/piece/7").Header().Get("Trace-Id")
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, m := range allMetrics(all) {
			if m.Name != "http.server.request.duration" {
				continue
			}
			found = true
			point := m.Data.(metricdata.Histogram[float64]).DataPoints[0]
			bounds := []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
			if diff := cmp.Diff(bounds, point.Bounds); diff != "" || m.Unit != "s" {
				t.Errorf("unit %q, buckets (-want +got):\n%s", m.Unit, diff)
			}
			var got string
			for _, e := range point.Exemplars {
				got += hex.EncodeToString(e.TraceID)
			}
			if sampled && got != id || !sampled && got != "" {
				t.Errorf("%s: exemplars of %q for the request %s", sampler, got, id)
			}
		}
		if !found {
			t.Error("requests are not measured")
		}
	}
}

func allMetrics(all metricdata.ResourceMetrics) (metrics []metricdata.Metrics) {
	for _, scope := range all.ScopeMetrics {
		metrics = append(metrics, scope.Metrics...)
	}
	return metrics
}

// TestWithoutTracing: no span is made, and a response still names its request.
func TestWithoutTracing(t *testing.T) {
	t.Parallel()
	for _, sampling := range []telemetry.Sampling{{Disabled: true}, {Sampler: "always_off"}} {
		spans := tracetest.NewInMemoryExporter()
		router := newRouter(t, telemetry.Options{Sampling: sampling, Exporter: spans})
		router.Get("/", ok)
		if id := send(router, "GET", "/").Header().Get("Trace-Id"); len(id) != 32 || strings.Trim(id, "0") == "" {
			t.Errorf("%+v: Trace-Id %q", sampling, id)
		}
		if got := spans.GetSpans(); len(got) != 0 {
			t.Errorf("%+v: spans %v", sampling, got)
		}
	}
}

func TestHandlersThatAnswerFailuresThemselvesAreLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := newRouter(t, telemetry.Options{Log: slog.NewJSONHandler(&log, nil)})
	r.Get("/", func(w http.ResponseWriter, r *http.Request) error {
		web.RecordError(r.Context(), errors.New("no glue"))
		web.RecordError(r.Context(), errors.New("no scissors"))
		return web.Reply(w, 200, "half a page")
	})
	send(r, "GET", "/")
	if !strings.Contains(log.String(), `"error":"no glue\nno scissors"`) {
		t.Errorf("logged %s", log.String())
	}
	web.RecordError(t.Context(), errors.New("outside")) // does nothing
}

func TestRequestIsOneLogLine(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := newRouter(t, telemetry.Options{Log: slog.NewJSONHandler(&log, nil)})
	r.Get("/piece/{id}", func(http.ResponseWriter, *http.Request) error { return errors.New("out of glue") })
	res := send(r, "GET", "/piece/7")
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("want one log line, got %q", log.String())
	}
	for key, want := range map[string]any{
		"level": "ERROR", "msg": "request", "method": "GET", "path": "/piece/7", "status": 500.0, "error": "out of glue",
		"trace_id": res.Header().Get("Trace-Id"),
	} {
		if line[key] != want {
			t.Errorf("log %s is %v, want %v", key, line[key], want)
		}
	}
}

// TestClientsThatDisconnectAreNoFailures of ours, whichever way the handler ends because of it.
func TestClientsThatDisconnectAreNoFailures(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		handler web.Handler
		want    string
	}{
		{func(_ http.ResponseWriter, r *http.Request) error { return r.Context().Err() }, "INFO 499"},
		{func(http.ResponseWriter, *http.Request) error { return errors.New("query cancelled") }, "INFO 499"},
		{func(w http.ResponseWriter, _ *http.Request) error { return web.Reply(w, 503, "down") }, "INFO 503"},
		{func(http.ResponseWriter, *http.Request) error { panic("torn") }, "ERROR 500"},
	} {
		var log bytes.Buffer
		r := newRouter(t, telemetry.Options{Log: slog.NewJSONHandler(&log, nil)})
		r.Get("/", row.handler)
		ctx, disconnect := context.WithCancel(t.Context())
		disconnect()
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
		var line struct {
			Level  string
			Status int
		}
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatalf("want one log line, got %q", log.String())
		}
		if got := fmt.Sprint(line.Level, " ", line.Status); got != row.want {
			t.Errorf("logged %s, want %s", got, row.want)
		}
	}
}
