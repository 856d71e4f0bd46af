package traces_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"craftista/stack/internal/traces"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

// answering returns a function by which product answers a request, in so many seconds.
func answering(t *testing.T, m *traces.Metrics) func(route string, status int, seconds float64) {
	t.Helper()
	product := resource.NewSchemaless(attribute.String("service.name", "product"))
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(m.Reader()), sdkmetric.WithResource(product))
	durations, err := provider.Meter("test").Float64Histogram("http.server.request.duration")
	if err != nil {
		t.Fatal(err)
	}
	return func(route string, status int, seconds float64) {
		durations.Record(t.Context(), seconds, metric.WithAttributes(attribute.String("http.request.method", "GET"),
			attribute.String("http.route", route), attribute.Int("http.response.status_code", status)))
	}
}

func requests(m *traces.Metrics) string {
	res := httptest.NewRecorder()
	traces.Handler(&traces.Store{}, m, nil).ServeHTTP(res, httptest.NewRequest("GET", "/requests", nil))
	return res.Body.String()
}

// TestFiguresOfARoute: buckets end at the powers of the eighth root of two. Of 100 requests 50 are in the one from
// 0.5 s to 0.5453 s and 50 in the one from 1 s to 1.0905 s.
func TestFiguresOfARoute(t *testing.T) {
	t.Parallel()
	m := &traces.Metrics{}
	answer := answering(t, m)
	for range 49 {
		answer(`/<script>"`, 200, 0.52)
		answer(`/<script>"`, 404, 1.05)
	}
	m.Collect(t.Context())
	answer(`/<script>"`, 500, 0.52)
	answer(`/<script>"`, 503, 1.05)
	m.Collect(t.Context())
	page := requests(m)
	for _, want := range []string{
		`<details id="product"`, `href="/?service=product&amp;route=GET%20%2f%3cscript%3e%22"`,
		`>GET /&lt;script&gt;&#34;</a>`,
		"100/min", "2.0 %", "545.3 · 1081.5 ms",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	if strings.Contains(page, "<script") {
		t.Errorf("the route is not escaped:\n%s", page)
	}
}

// TestMetricsAreBounded: 200 routes of a service, and 15 minutes.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	m := &traces.Metrics{}
	answer := answering(t, m)
	for i := range 300 {
		answer(fmt.Sprintf("/%03d", i), 200, 0.1)
	}
	m.Collect(t.Context())
	page := requests(m)
	if routes := strings.Count(page, "<a "); routes != 200 || !strings.Contains(page, ">other</a>") {
		t.Errorf("%d routes, want 199 and others:\n%s", routes, page)
	}
	for range 179 {
		m.Collect(t.Context())
	}
	const none = "None in the last 15 minutes"
	if strings.Contains(requests(m), none) {
		t.Error("requests of the last 15 minutes are missing")
	}
	m.Collect(t.Context())
	if page := requests(m); !strings.Contains(page, none) {
		t.Errorf("requests of before:\n%s", page)
	}
}
