package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Delivery is how the last spans fared on their way out of the process.
type Delivery struct {
	Took   time.Duration
	Failed bool
}

// spanExporter repairs text that is not UTF-8, which anybody can put into a path
// or a header and which would make OTLP refuse the whole batch, notes how each
// delivery went, and logs what cannot be sent here instead of in OpenTelemetry's
// global handler.
type spanExporter struct {
	sdktrace.SpanExporter
	log  *slog.Logger
	last *atomic.Pointer[Delivery]
}

// ExportSpans implements sdktrace.SpanExporter.
func (e spanExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	sound := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		sound[i] = mended{s}
	}
	start := time.Now()
	err := e.SpanExporter.ExportSpans(ctx, sound)
	e.last.Store(&Delivery{Took: time.Since(start), Failed: err != nil})
	if err != nil {
		e.log.WarnContext(ctx, "spans were not sent", "count", len(spans), "error", err.Error())
	}
	return nil
}

// mended is a span whose text is UTF-8.
type mended struct{ sdktrace.ReadOnlySpan }

// Name implements sdktrace.ReadOnlySpan.
func (m mended) Name() string { return mend(m.ReadOnlySpan.Name()) }

// Attributes implements sdktrace.ReadOnlySpan.
func (m mended) Attributes() []attribute.KeyValue {
	attributes := m.ReadOnlySpan.Attributes()
	if !slices.ContainsFunc(attributes, broken) { // as nearly always
		return attributes
	}
	attributes = slices.Clone(attributes)
	for i, a := range attributes {
		if broken(a) {
			attributes[i].Value = attribute.StringValue(mend(a.Value.AsString()))
		}
	}
	return attributes
}

func broken(a attribute.KeyValue) bool {
	return a.Value.Type() == attribute.STRING && !utf8.ValidString(a.Value.AsString())
}

func mend(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// metricExporter logs like spanExporter.
type metricExporter struct {
	sdkmetric.Exporter
	log *slog.Logger
}

// Export implements sdkmetric.Exporter.
func (e metricExporter) Export(ctx context.Context, m *metricdata.ResourceMetrics) error {
	if err := e.Exporter.Export(ctx, m); err != nil {
		e.log.WarnContext(ctx, "metrics were not sent", "error", err.Error())
	}
	return nil
}
