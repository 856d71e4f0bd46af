package web

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"craftista/shared/telemetry"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/semconv/v1.37.0/httpconv"
	"go.opentelemetry.io/otel/trace"
)

// tracing makes the span and the measure of each request, after OpenTelemetry's
// semantic conventions for HTTP servers. It is otelhttp's work cut to what a
// Router needs: otelhttp does not know the route when it starts, wraps request
// and response a second time and sorts the same attributes anew for every
// measure, which together cost as much as reading a piece from Redis.
type tracing struct {
	tracer     trace.Tracer
	kind       []trace.SpanStartOption // server
	propagator propagation.TextMapPropagator
	duration   metric.Float64Histogram
	known      sync.Map // series to *shape; there are as many as routes and statuses
}

// series is what requests are measured by. The host is not part of it: callers
// choose it, and each value would be a series of its own.
type series struct {
	method, route, version string
	status                 int
	tls                    bool
}

// shape is what all requests of a series share.
type shape struct {
	name       string
	attributes []attribute.KeyValue
	measure    metric.MeasurementOption
}

func newTracing(t *telemetry.Telemetry) *tracing {
	duration, err := httpconv.NewServerRequestDuration(t.Metrics.Meter("craftista/shared/web"),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)) // the conventions' own
	if err != nil {
		t.Log.Warn("requests are not measured", "error", err)
	}
	return &tracing{
		tracer: t.Traces.Tracer("craftista/shared/web"), kind: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)},
		propagator: t.Propagator, duration: duration.Inst(),
	}
}

// start starts the span, below the caller's if the request says so.
func (t *tracing) start(r *http.Request) (context.Context, trace.Span) {
	ctx := r.Context()
	if r.Header["Traceparent"] != nil || r.Header["Baggage"] != nil {
		ctx = t.propagator.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	return t.tracer.Start(ctx, knownMethod(r.Method), t.kind...)
}

// finish describes the request once it is known how it went; the caller ends
// the span. route is "" where none matched.
func (t *tracing) finish(ctx context.Context, span trace.Span, r *http.Request, x *exchange, route string, start time.Time) {
	measured, recorded := t.duration.Enabled(ctx), span.IsRecording()
	if !measured && !recorded {
		return
	}
	s := t.shape(series{knownMethod(r.Method), route, version(r), x.Status(), r.TLS != nil})
	if measured {
		t.duration.Record(ctx, time.Since(start).Seconds(), s.measure)
	}
	if !recorded {
		return
	}
	span.SetName(s.name)
	span.SetAttributes(particulars(r, x, s.attributes)...)
	if x.Status() >= 500 {
		span.SetStatus(codes.Error, "")
	}
}

func (t *tracing) shape(of series) *shape {
	if s, ok := t.known.Load(of); ok {
		return s.(*shape)
	}
	s, _ := t.known.LoadOrStore(of, of.shape())
	return s.(*shape)
}

func (s series) shape() *shape {
	scheme := "http"
	if s.tls {
		scheme = "https"
	}
	all := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(s.method), semconv.URLScheme(scheme),
		semconv.HTTPResponseStatusCode(s.status), semconv.NetworkProtocolVersion(s.version),
	}
	if s.route != "" {
		all = append(all, semconv.HTTPRoute(s.route))
	}
	if s.status >= 500 {
		all = append(all, semconv.ErrorTypeKey.String(strconv.Itoa(s.status)))
	}
	return &shape{
		name:       strings.TrimSuffix(s.method+" "+s.route, " "),
		attributes: all, measure: metric.WithAttributeSet(attribute.NewSet(all...)),
	}
}

// particulars are what only the one request is, after what it shares with
// others.
func particulars(r *http.Request, x *exchange, shared []attribute.KeyValue) []attribute.KeyValue {
	all := append(make([]attribute.KeyValue, 0, len(shared)+6), shared...)
	all = append(all, semconv.URLPath(r.URL.Path), semconv.HTTPResponseBodySize(int(x.size)))
	if host, port, err := net.SplitHostPort(r.Host); err == nil {
		number, _ := strconv.Atoi(port)
		all = append(all, semconv.ServerAddress(host), semconv.ServerPort(number))
	} else {
		all = append(all, semconv.ServerAddress(r.Host))
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		all = append(all, semconv.NetworkPeerAddress(host))
	}
	if agent := r.UserAgent(); agent != "" {
		all = append(all, semconv.UserAgentOriginal(agent))
	}
	if r.ContentLength > 0 {
		all = append(all, semconv.HTTPRequestBodySize(int(r.ContentLength)))
	}
	if knownMethod(r.Method) != r.Method {
		all = append(all, semconv.HTTPRequestMethodOriginal(r.Method))
	}
	return all
}

// knownMethod is the method, or _OTHER for one that somebody made up.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	default:
		return "_OTHER"
	}
}

func version(r *http.Request) string {
	switch {
	case r.ProtoMajor >= 2:
		return strconv.Itoa(r.ProtoMajor)
	case r.ProtoMinor == 0:
		return "1.0"
	default:
		return "1.1"
	}
}
