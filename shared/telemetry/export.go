package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
)

// Delivery is how the last spans fared on their way out of the process.
type Delivery struct {
	Took   time.Duration
	Failed bool
}

// spanExporter takes the queries out of URLs, repairs text that is not UTF-8, which
// anybody can put into a path or a header and which would make OTLP refuse the whole
// batch, makes no failure of what its caller cancelled, notes how each delivery went, and
// logs what cannot be sent here instead of in OpenTelemetry's global handler.
type spanExporter struct {
	sdktrace.SpanExporter
	log  *slog.Logger
	last *atomic.Pointer[Delivery]
}

// ExportSpans implements sdktrace.SpanExporter.
func (e spanExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	clean := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		clean[i] = cleaned{s}
	}
	start := time.Now()
	err := e.SpanExporter.ExportSpans(ctx, clean)
	e.last.Store(&Delivery{Took: time.Since(start), Failed: err != nil})
	if err != nil {
		e.log.WarnContext(ctx, "spans were not sent", "count", len(spans), "error", err.Error())
	}
	return nil
}

// cleaned is a span whose text is UTF-8 and whose URLs have no query: e-mail addresses
// that an admin searches for are in one, and the codes and tokens of OpenID Connect.
type cleaned struct{ sdktrace.ReadOnlySpan }

// Name implements sdktrace.ReadOnlySpan.
func (m cleaned) Name() string { return validUTF8(m.ReadOnlySpan.Name()) }

// Attributes implements sdktrace.ReadOnlySpan.
func (m cleaned) Attributes() []attribute.KeyValue {
	attributes := repaired(slices.Clone(m.ReadOnlySpan.Attributes()))
	for i, a := range attributes {
		if a.Key == semconv.URLFullKey {
			text, _, _ := strings.Cut(a.Value.AsString(), "?")
			attributes[i].Value = attribute.StringValue(text)
		}
	}
	return attributes
}

// repaired makes the text of the attributes UTF-8, in place.
func repaired(attributes []attribute.KeyValue) []attribute.KeyValue {
	for i, a := range attributes {
		if a.Value.Type() == attribute.STRING {
			attributes[i].Value = attribute.StringValue(validUTF8(a.Value.AsString()))
		}
	}
	return attributes
}

// Status implements sdktrace.ReadOnlySpan. A step that ended because its caller left is no failure: every live stream
// ends so. The libraries that make the spans of HTTP, SQL and Redis put the text of the error into the status.
func (m cleaned) Status() sdktrace.Status {
	status := m.ReadOnlySpan.Status()
	if status.Description == context.Canceled.Error() {
		return sdktrace.Status{}
	}
	return status
}

func validUTF8(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// metricExporter logs like spanExporter, and takes out of exemplars what a view took out of the series: a caller chose
// it.
type metricExporter struct {
	sdkmetric.Exporter
	log *slog.Logger
}

// Export implements sdkmetric.Exporter.
func (e metricExporter) Export(ctx context.Context, m *metricdata.ResourceMetrics) error {
	for _, scope := range m.ScopeMetrics {
		for _, metric := range scope.Metrics {
			switch data := metric.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, point := range data.DataPoints {
					stripExemplars(point.Exemplars)
				}
			case metricdata.Histogram[int64]:
				for _, point := range data.DataPoints {
					stripExemplars(point.Exemplars)
				}
			case metricdata.ExponentialHistogram[float64]: // where the environment asks for them
				for _, point := range data.DataPoints {
					stripExemplars(point.Exemplars)
				}
			case metricdata.ExponentialHistogram[int64]:
				for _, point := range data.DataPoints {
					stripExemplars(point.Exemplars)
				}
			}
		}
	}
	if err := e.Exporter.Export(ctx, m); err != nil {
		e.log.WarnContext(ctx, "metrics were not sent", "error", err.Error())
	}
	return nil
}

func stripExemplars[N int64 | float64](exemplars []metricdata.Exemplar[N]) {
	for i := range exemplars {
		exemplars[i].FilteredAttributes = nil
	}
}

// logExporter repairs and logs like spanExporter. What it logs must not come back to it.
type logExporter struct {
	sdklog.Exporter
	log *slog.Logger
}

// Export implements sdklog.Exporter.
func (e logExporter) Export(ctx context.Context, records []sdklog.Record) error {
	for i := range records {
		var attributes []attribute.KeyValue
		records[i].WalkAttributes(func(a attribute.KeyValue) bool {
			attributes = append(attributes, a)
			return true
		})
		records[i].SetAttributes(repaired(attributes)...)
	}
	if err := e.Exporter.Export(ctx, records); err != nil {
		e.log.WarnContext(ctx, "logs were not sent", "count", len(records), "error", err.Error())
	}
	return nil
}

// atLevel drops what is less important than level.
type atLevel struct {
	sdklog.Processor
	level slog.Level
}

// Enabled implements sdklog.Processor.
func (p atLevel) Enabled(_ context.Context, e sdklog.EnabledParameters) bool {
	return e.Severity >= log.SeverityInfo+log.Severity(p.level)
}
