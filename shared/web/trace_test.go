package web_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
	tel, err := telemetry.New(t.Context(), "paper", "", telemetry.Options{Exporter: spans, Log: slog.DiscardHandler})
	if err != nil {
		t.Fatal(err)
	}
	router := web.NewRouter(tel, web.Problem)
	router.Post("/piece/{id}", func(w http.ResponseWriter, _ *http.Request) error { return web.Reply(w, 201, "made") })
	router.Get("/broken", func(http.ResponseWriter, *http.Request) error { return errors.New("torn") })
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
	r := httptest.NewRequest("POST", "http://paper.example:8000/piece/7?x=1", strings.NewReader("{}"))
	r.RemoteAddr = "[2001:db8::1]:1234"
	r.Header.Set("User-Agent", "crane/1.0")
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
	span, res := spanOf(t, r)
	want := map[string]string{
		"http.request.method": "POST", "url.scheme": "http", "http.response.status_code": "201", "network.protocol.version": "1.1",
		"http.route": "/piece/{id}", "url.path": "/piece/7", "http.request.body.size": "2", "http.response.body.size": "6",
		"server.address": "paper.example", "server.port": "8000", "network.peer.address": "2001:db8::1", "user_agent.original": "crane/1.0",
	}
	if diff := cmp.Diff(want, attributes(span)); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if span.Name != "POST /piece/{id}" || span.SpanKind != trace.SpanKindServer || span.Status.Code != codes.Unset {
		t.Errorf("span %q of kind %v, status %v", span.Name, span.SpanKind, span.Status)
	}
	if got := res.Header().Get("Trace-Id"); got != "4bf92f3577b34da6a3ce929d0e0e4736" || span.Parent.SpanID().String() != "00f067aa0ba902b7" {
		t.Errorf("trace %s below %s, want the caller's", got, span.Parent.SpanID())
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
		{"GET", "/nowhere/7", "GET", "GET", "404", codes.Unset},
		{"FOLD", "/broken", "_OTHER", "_OTHER", "405", codes.Unset},
		{"GET", "/cut", "GET", "", "", codes.Unset},
	} {
		span, _ := spanOf(t, httptest.NewRequest(row.method, row.path, nil))
		got := attributes(span)
		if span.Name != row.name || got["http.request.method"] != row.sent || got["http.response.status_code"] != row.status || span.Status.Code != row.code {
			t.Errorf("%s %s: %q %v %v", row.method, row.path, span.Name, got, span.Status)
		}
		if original := got["http.request.method_original"]; original != "" && original != row.method {
			t.Errorf("%s %s: original method %q", row.method, row.path, original)
		}
	}
}

func TestRequestsAreMeasuredByRoute(t *testing.T) {
	t.Parallel()
	reader := metric.NewManualReader()
	tel := telemetry.Discard()
	tel.Metrics = metric.NewMeterProvider(metric.WithReader(reader))
	router := web.NewRouter(tel, web.Problem)
	router.Get("/piece/{id}", func(w http.ResponseWriter, _ *http.Request) error { return web.Reply(w, 200, "ok") })
	for _, url := range []string{"http://a.example/piece/1", "http://b.example/piece/2", "http://b.example/nowhere"} {
		router.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", url, nil))
	}
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, m := range all.ScopeMetrics[0].Metrics {
		for _, point := range m.Data.(metricdata.Histogram[float64]).DataPoints {
			route, _ := point.Attributes.Value("http.route")
			got[m.Name+" "+route.AsString()] = point.Count
		}
	}
	want := map[string]uint64{"http.server.request.duration /piece/{id}": 2, "http.server.request.duration ": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("measures (-want +got):\n%s", diff)
	}
}

// TestWithoutTracing: no span is made, and a response still names its request.
func TestWithoutTracing(t *testing.T) {
	t.Parallel()
	for _, sampling := range []telemetry.Sampling{{Disabled: true}, {Sampler: "always_off"}} {
		spans := tracetest.NewInMemoryExporter()
		tel, err := telemetry.New(t.Context(), "paper", "", telemetry.Options{Sampling: sampling, Exporter: spans, Log: slog.DiscardHandler})
		if err != nil {
			t.Fatal(err)
		}
		router := web.NewRouter(tel, web.Problem)
		router.Get("/", func(w http.ResponseWriter, _ *http.Request) error { return web.Reply(w, 200, "ok") })
		res := httptest.NewRecorder()
		router.ServeHTTP(res, httptest.NewRequest("GET", "/", nil))
		if id := res.Header().Get("Trace-Id"); len(id) != 32 || strings.Trim(id, "0") == "" {
			t.Errorf("%+v: Trace-Id %q", sampling, id)
		}
		if got := spans.GetSpans(); len(got) != 0 {
			t.Errorf("%+v: spans %v", sampling, got)
		}
	}
}

// TestReplyKept is a body that is kept with its tag.
func TestReplyKept(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]int{"": 200, `"2-8"`: 200, `"2-7"`: 304, `W/"2-7"`: 304, `"x", "2-7"`: 304, "*": 304} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("If-None-Match", asked)
		res := httptest.NewRecorder()
		web.ReplyKept(res, r, "no-cache", "application/json", `"2-7"`, []byte("{}"))
		got := []string{res.Header().Get("Etag"), res.Header().Get("Cache-Control"), res.Header().Get("Content-Type"), res.Header().Get("Content-Length"), res.Body.String()}
		answer := []string{`"2-7"`, "no-cache", "application/json", "2", "{}"}
		if want == 304 {
			answer = []string{`"2-7"`, "no-cache", "", "", ""}
		}
		if diff := cmp.Diff(answer, got); res.Code != want || diff != "" {
			t.Errorf("%q: %d, want %d\n%s", asked, res.Code, want, diff)
		}
	}
}
