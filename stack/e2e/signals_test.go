package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"craftista/product/redistest"

	"github.com/prometheus/otlptranslator"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// TestBuildSaysWhatTheLinkerSet needs no database.
func TestBuildSaysWhatTheLinkerSet(t *testing.T) {
	t.Parallel()
	const stamp = "-X craftista/shared/build.version=v1.2.3 -X craftista/shared/build.commit=1a2b3c4 " +
		"-X craftista/shared/build.date=2026-11-29T12:00:00Z"
	binary := build(t, "craftista/recommendation/cmd/recommendation", "-ldflags", stamp)
	p := run(t, binary, "ADDR=127.0.0.1:0", "DATABASE_URL=postgres://nobody@127.0.0.1:1/nothing")
	got := do(t, http.DefaultClient, get(t, p.url+"/health"))
	const want = `"version":"v1.2.3","commit":"1a2b3c4","built_at":"2026-11-29T12:00:00Z"`
	if !strings.Contains(got.Body, want) {
		t.Errorf("got %s, want %s", got.Body, want)
	}
}

// maxSeries bounds the series of one instrument in one service: an http.route, a method and a status make one.
const maxSeries = 120

// TestStrangersMakeNoSeries asks every route of every service, as an admin and as somebody who makes up ids, methods,
// hosts, queries and headers. What was made up is in no metric, and no instrument has many series. Dashboards and
// alerts use no metrics but these.
func TestStrangersMakeNoSeries(t *testing.T) {
	t.Parallel()
	sent := series{attributes: map[string]map[string]bool{}, names: map[string]bool{}}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := sent.receive(r.Body); err != nil {
			t.Errorf("%s: %v", r.URL, err)
		}
	}))
	t.Cleanup(receiver.Close)
	auth, product, recommendation, front := startProcesses(t,
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="+receiver.URL, "REDIS_URL="+redistest.Start(t).URL(), "GOMEMLIMIT=1GiB",
		"SMTP_URL=smtp://127.0.0.1:1?tls=none", "MAIL_FROM=craftista@example.com",
		"CONSENT_URL=https://site.example/authorize")
	admin := signIn(t, front.url, "admin", "paper-crane-admin")
	bearer := cookies(t, admin, front.url)["craftista_session"]
	listen(t, front.url+"/live?ids=1")
	forgetful := url.Values{"email": {"user@example.com"}}
	do(t, http.DefaultClient, request(t, http.MethodPost, front.url+"/forgot", forgetful))
	all := []*process{auth, product, recommendation, front}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete} {
		askEveryRoute(t, admin, bearer, method, all...)
	}
	for _, service := range all {
		for path, operations := range paths(t, service) {
			for method := range operations {
				askAsAStranger(t, strings.ToUpper(method), service.url+parameter.ReplaceAllString(path, canary))
			}
			askAsAStranger(t, canary, service.url+path+canary)
		}
	}
	for _, p := range slices.Backward(all) {
		p.interrupt(t) // which sends the last values
	}
	const otelhttp = "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	for name, outcome := range map[string]string{
		"auth craftista craftista.sign_ins {sign_in}":                    "success",
		"auth craftista craftista.registrations {registration}":          "unauthorized",
		"auth craftista craftista.mails {mail}":                          "failed",
		"product craftista craftista.votes {vote}":                       "recorded",
		"product craftista craftista.cache.requests {request}":           "hit",
		"product craftista craftista.cache.invalidations {invalidation}": "removed",
		"frontend " + otelhttp + " http.client.request.duration s":       "200",
		"recommendation " + otelhttp + " http.server.request.duration s": "_OTHER",
	} {
		if got := fmt.Sprint(sent.attributes[name]); got == "map[]" || !strings.Contains(got, outcome) {
			t.Errorf("%s is %s, want %q", name, got, outcome)
		}
	}
	assertMetricsExist(t, sent.names)
	for name, series := range sent.attributes {
		if len(series) > maxSeries {
			t.Errorf("%s has %d series", name, len(series))
		}
		for attributes := range series {
			if strings.Contains(attributes, canary) {
				t.Errorf("%s has the series of a stranger: %s", name, attributes)
			}
		}
	}
}

func askAsAStranger(t *testing.T, method, url string) {
	t.Helper()
	r := request(t, method, url+"?ids="+canary+"&"+canary+"="+canary, nil)
	r.Host = canary + ".example"
	for _, name := range []string{
		"Authorization", "User-Agent", "Referer", "Origin", "X-Forwarded-For", "X-Forwarded-Host", "Tracestate",
		"Baggage", "Idempotency-Key", "If-Match", "If-None-Match", "Accept", "Content-Type", "Cookie",
	} {
		r.Header.Set(name, canary)
	}
	do(t, http.DefaultClient, r)
}

// series are the attributes of each instrument's series, as text. It is safe for concurrent use.
type series struct {
	mu         sync.Mutex // guards the rest
	attributes map[string]map[string]bool
	names      map[string]bool // in Prometheus
}

func (s *series) receive(body io.Reader) error {
	encoded, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var request collector.ExportMetricsServiceRequest
	if err := proto.Unmarshal(encoded, &request); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range request.ResourceMetrics {
		for _, scope := range r.ScopeMetrics {
			for _, m := range scope.Metrics {
				name := fmt.Sprint(scope.Scope.Name, " ", m.Name, " ", m.Unit)
				for _, a := range r.Resource.Attributes {
					if a.Key == "service.name" {
						name = a.Value.GetStringValue() + " " + name
					}
				}
				s.attributes[name] = seriesOf(m)
				translated, err := nameInPrometheus(m)
				if err != nil {
					return err
				}
				s.names[translated] = true
			}
		}
	}
	return nil
}

// nameInPrometheus is what deploy/prometheus.yaml asks for.
func nameInPrometheus(m *metrics.Metric) (string, error) {
	var kind otlptranslator.MetricType = otlptranslator.MetricTypeGauge
	switch {
	case m.GetHistogram() != nil:
		kind = otlptranslator.MetricTypeHistogram
	case m.GetSum().GetIsMonotonic():
		kind = otlptranslator.MetricTypeMonotonicCounter
	case m.GetSum() != nil:
		kind = otlptranslator.MetricTypeNonMonotonicCounter
	}
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	return namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: kind})
}

// seriesOf are the attributes of each series, with those that exemplars have besides.
func seriesOf(m *metrics.Metric) map[string]bool {
	found := map[string]bool{}
	for _, p := range append(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()...) {
		found[fmt.Sprint(p.Attributes, p.Exemplars)] = true
	}
	for _, p := range m.GetHistogram().GetDataPoints() {
		found[fmt.Sprint(p.Attributes, p.Exemplars)] = true
	}
	return found
}
