// Package telemetry makes a process's traces, metrics and logs. The providers
// are returned and handed on, never set as globals, so that four services in
// one process stay apart.
package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Options say where telemetry goes. The zero value keeps it in the process:
// spans and metrics are made, logs go to standard error as JSON.
type Options struct {
	Sampling
	OTLPEndpoint string     `env:"OTEL_EXPORTER_OTLP_ENDPOINT"` // over HTTP, as http://localhost:4318; "" sends nothing
	LogLevel     slog.Level `env:"LOG_LEVEL"`                   // what is less important is not logged; for a nil Log

	Exporter sdktrace.SpanExporter // gets every span at once besides; nil is none
	Reader   sdkmetric.Reader      // reads metrics besides; nil is none
	Log      slog.Handler          // nil is JSON on standard error at LogLevel
}

// Telemetry is one process's providers. All of it is safe for concurrent use.
type Telemetry struct {
	Traces     trace.TracerProvider
	Metrics    metric.MeterProvider
	Propagator propagation.TextMapPropagator // W3C Trace Context and Baggage
	Log        *slog.Logger                  // adds trace_id and span_id from the context
	sends      bool                          // there is somewhere to send spans
	delivery   atomic.Pointer[Delivery]      // the last; nil before the first
	shutdown   []func(context.Context) error
}

// New starts the telemetry of the named service. Call Shutdown at the end: it
// sends what is still waiting. An endpoint that does not answer is no error
// here; spans for it are dropped. Errors are settings that cannot be.
func New(ctx context.Context, name, version string, o Options) (*Telemetry, error) {
	handler := cmp.Or[slog.Handler](o.Log, slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: o.LogLevel}))
	res := resource.NewSchemaless(
		attribute.String("service.name", name),
		attribute.String("service.version", version),
	)
	t := &Telemetry{
		Propagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
		Log:        slog.New(traced{handler}).With("service", name),
		sends:      o.Exporter != nil || o.OTLPEndpoint != "",
	}
	sampler, err := o.sampler()
	if err != nil {
		return nil, err
	}
	traces := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithSampler(sampler)}
	if o.Disabled { // its spans have ids and go nowhere
		t.Traces, t.Metrics = sdktrace.NewTracerProvider(traces...), noop.NewMeterProvider()
		return t, nil
	}
	metrics := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithView(withoutHost())}
	if o.Reader != nil {
		metrics = append(metrics, sdkmetric.WithReader(o.Reader))
	}
	if o.Exporter != nil {
		traces = append(traces, sdktrace.WithSyncer(spanExporter{o.Exporter, t.Log, &t.delivery}))
	}
	if o.OTLPEndpoint != "" {
		spans, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(o.OTLPEndpoint+"/v1/traces"))
		if err != nil {
			return nil, fmt.Errorf("start trace exporter: %w", err)
		}
		points, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(o.OTLPEndpoint+"/v1/metrics"))
		if err != nil {
			return nil, fmt.Errorf("start metric exporter: %w", err)
		}
		traces = append(traces, sdktrace.WithBatcher(spanExporter{spans, t.Log, &t.delivery}))
		reader := sdkmetric.NewPeriodicReader(metricExporter{points, t.Log}, sdkmetric.WithInterval(15*time.Second))
		metrics = append(metrics, sdkmetric.WithReader(reader))
	}
	tp, mp := sdktrace.NewTracerProvider(traces...), sdkmetric.NewMeterProvider(metrics...)
	t.Traces, t.Metrics = tp, mp
	t.shutdown = []func(context.Context) error{tp.Shutdown, mp.Shutdown}
	return t, nil
}

// withoutHost takes the host out of the metrics of HTTP servers. Callers choose it, and each value would be a series
// of its own.
func withoutHost() sdkmetric.View {
	return sdkmetric.NewView(sdkmetric.Instrument{Name: "http.server.*"},
		sdkmetric.Stream{AttributeFilter: attribute.NewDenyKeysFilter("server.address", "server.port")})
}

// Discard is telemetry whose traces have ids and go nowhere, for tests and
// benchmarks.
func Discard() *Telemetry {
	t, err := New(context.Background(), "test", "", Options{Log: slog.DiscardHandler})
	if err != nil {
		panic("telemetry without an endpoint: " + err.Error()) // only settings and exporters can fail
	}
	return t
}

// shutdownTimeout is how long a collector that does not answer may hold up the
// end of a process.
const shutdownTimeout = 3 * time.Second

// Shutdown sends what is waiting and stops, in at most 3 s. That something could not be sent is logged; it is no reason
// for a process to fail.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	var all error
	for _, stop := range t.shutdown {
		all = errors.Join(all, stop(ctx))
	}
	if all != nil {
		t.Log.WarnContext(ctx, "telemetry was not sent at the end", "error", all.Error())
	}
	return nil
}

// Delivered tells of the last spans that were sent; ok is false where none were yet.
func (t *Telemetry) Delivered() (last Delivery, ok bool) {
	if d := t.delivery.Load(); d != nil {
		return *d, true
	}
	return Delivery{}, false
}

// Sends reports whether spans are sent anywhere.
func (t *Telemetry) Sends() bool { return t.sends }

// TraceID is the id of the trace that ctx belongs to, "" outside any.
func TraceID(ctx context.Context) string {
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		return span.TraceID().String()
	}
	return ""
}

// traced adds the ids of the context's span to each record.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }
func (h traced) WithGroup(name string) slog.Handler       { return traced{h.Handler.WithGroup(name)} }
