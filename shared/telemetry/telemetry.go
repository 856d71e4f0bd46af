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

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

// Options say where telemetry goes. The zero value keeps it in the process: spans and metrics are made, logs go to
// standard error as JSON. OpenTelemetry's libraries read what else the environment says, such as
// OTEL_EXPORTER_OTLP_HEADERS, OTEL_BSP_SCHEDULE_DELAY and OTEL_METRIC_EXPORT_INTERVAL.
type Options struct {
	Sampling
	Endpoints
	LogLevel    slog.Level `env:"LOG_LEVEL"`    // what is less important is not logged; a Log has its own besides
	SQLComments bool       `env:"SQL_COMMENTS"` // SQL carries the trace id to the server's log, and is not prepared

	Exporter sdktrace.SpanExporter // gets every span at once besides; nil is none
	Reader   sdkmetric.Reader      // reads metrics besides; nil is none
	Log      slog.Handler          // nil is JSON on standard error at LogLevel
	Resource []attribute.KeyValue  // of all signals, before what OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say
}

// Telemetry is one process's providers. All of it is safe for concurrent use.
type Telemetry struct {
	Traces      trace.TracerProvider
	Metrics     metric.MeterProvider
	Propagator  propagation.TextMapPropagator // W3C Trace Context and Baggage
	Log         *slog.Logger                  // adds trace_id and span_id from the context
	SQLComments bool                          // as in Options
	local       *slog.Logger                  // Log without OTLP, for what goes wrong with that
	sends       bool                          // there is somewhere to send spans
	delivery    atomic.Pointer[Delivery]      // the last; nil before the first
	shutdown    []func(context.Context) error
}

// New starts the telemetry of the named service. Call Shutdown at the end: it
// sends what is still waiting. An endpoint that does not answer is no error
// here; what is for it is dropped. Errors are settings that cannot be.
func New(ctx context.Context, name, version string, o Options) (*Telemetry, error) {
	handler := cmp.Or[slog.Handler](o.Log, slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: o.LogLevel}))
	local := traced{handler}.WithAttrs([]slog.Attr{slog.String("service", name)})
	t := &Telemetry{
		Propagator:  propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
		Log:         slog.New(local),
		SQLComments: o.SQLComments,
		local:       slog.New(local),
	}
	sampler, err := o.sampler()
	if err != nil {
		return nil, err
	}
	res, err := o.resource(ctx, name, version)
	if err != nil {
		return nil, err
	}
	traces := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithSampler(sampler)}
	if o.Disabled { // its spans have ids and go nowhere
		t.Traces, t.Metrics = sdktrace.NewTracerProvider(traces...), noop.NewMeterProvider()
		return t, nil
	}
	if err := errors.Join(t.trace(ctx, o, traces), t.measure(ctx, o, res), t.log(ctx, o, res)); err != nil {
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	return t, nil
}

// resource is what made the telemetry: o.Resource, else what the environment says, else what is known here.
func (o Options) resource(ctx context.Context, name, version string) (*resource.Resource, error) {
	res, err := resource.New(ctx,
		resource.WithService(), // a random service.instance.id
		resource.WithTelemetrySDK(),
		resource.WithAttributes(
			semconv.ServiceName(name), semconv.ServiceVersion(version), semconv.ServiceNamespace("craftista"),
			semconv.DeploymentEnvironmentName("development")),
		resource.WithFromEnv(),
		resource.WithAttributes(o.Resource...))
	if err != nil {
		return nil, errors.New("OTEL_RESOURCE_ATTRIBUTES is not of the form name=value,name=value")
	}
	return res, nil
}

// trace starts the traces.
func (t *Telemetry) trace(ctx context.Context, o Options, options []sdktrace.TracerProviderOption) error {
	url, err := o.Traces()
	if err != nil {
		return err
	}
	if o.Exporter != nil {
		options = append(options, sdktrace.WithSyncer(spanExporter{o.Exporter, t.local, &t.delivery}))
	}
	if url != "" {
		spans, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(url))
		if err != nil {
			return fmt.Errorf("start trace exporter: %w", err)
		}
		options = append(options, sdktrace.WithBatcher(spanExporter{spans, t.local, &t.delivery}))
	}
	t.sends = o.Exporter != nil || url != ""
	provider := sdktrace.NewTracerProvider(options...)
	t.Traces, t.shutdown = provider, append(t.shutdown, provider.Shutdown)
	return nil
}

// measure starts the metrics.
func (t *Telemetry) measure(ctx context.Context, o Options, res *resource.Resource) error {
	url, err := o.metrics()
	if err != nil {
		return err
	}
	options := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithView(withoutHost(), withoutMilliseconds())}
	if o.Reader != nil {
		options = append(options, sdkmetric.WithReader(o.Reader))
	}
	if url != "" {
		points, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(url))
		if err != nil {
			return fmt.Errorf("start metric exporter: %w", err)
		}
		options = append(options, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metricExporter{points, t.local})))
	}
	provider := sdkmetric.NewMeterProvider(options...)
	t.Metrics, t.shutdown = provider, append(t.shutdown, provider.Shutdown)
	err = errors.Join(runtime.Start(runtime.WithMeterProvider(provider)), measureProcess(provider.Meter("craftista")))
	if err != nil {
		return fmt.Errorf("measure the process: %w", err)
	}
	return nil
}

// log sends what is logged, too.
func (t *Telemetry) log(ctx context.Context, o Options, res *resource.Resource) error {
	url, err := o.logs()
	if url == "" || err != nil {
		return err
	}
	records, err := otlploghttp.New(ctx, otlploghttp.WithEndpointURL(url))
	if err != nil {
		return fmt.Errorf("start log exporter: %w", err)
	}
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(res),
		sdklog.WithProcessor(atLevel{sdklog.NewBatchProcessor(logExporter{records, t.local}), o.LogLevel}))
	t.Log = slog.New(slog.NewMultiHandler(t.local.Handler(),
		otelslog.NewHandler("craftista", otelslog.WithLoggerProvider(provider))))
	t.shutdown = append(t.shutdown, provider.Shutdown)
	return nil
}

// withoutHost takes the host out of the metrics of HTTP servers. Callers choose it, and each value would be a series
// of its own.
func withoutHost() sdkmetric.View {
	return sdkmetric.NewView(sdkmetric.Instrument{Name: "http.server.*"},
		sdkmetric.Stream{AttributeFilter: attribute.NewDenyKeysFilter("server.address", "server.port")})
}

// withoutMilliseconds drops redisotel's histograms: db.client.operation.duration has Redis too, in seconds.
func withoutMilliseconds() sdkmetric.View {
	return sdkmetric.NewView(sdkmetric.Instrument{Name: "db.client.connections.*_time"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationDrop{}})
}

// Counter is a counter of ours. Its name starts with craftista and its unit is as {vote}. It panics if the name is none
// of OpenTelemetry's.
func (t *Telemetry) Counter(name, unit, description string) metric.Int64Counter {
	options := []metric.Int64CounterOption{metric.WithUnit(unit), metric.WithDescription(description)}
	counter, err := t.Metrics.Meter("craftista").Int64Counter(name, options...)
	if err != nil {
		panic("counter " + name + ": " + err.Error())
	}
	return counter
}

// Outcome is the attribute of such a counter. There must be few values, and callers must not choose them.
func Outcome(value string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", value)))
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
		t.local.WarnContext(ctx, "telemetry was not sent at the end", "error", all.Error())
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
