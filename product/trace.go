package product

import (
	"context"

	"craftista/product/internal/core"
	"craftista/shared/telemetry"

	"go.opentelemetry.io/otel/trace"
)

// tracer is the core.Tracer of OpenTelemetry.
type tracer struct{ trace.Tracer }

func newTracer(t *telemetry.Telemetry) core.Tracer {
	return tracer{t.Traces.Tracer("craftista/product")}
}

// Start implements core.Tracer.
func (t tracer) Start(ctx context.Context, name string) (context.Context, core.Span) {
	ctx, s := t.Tracer.Start(ctx, name)
	return ctx, span{s}
}

type span struct{ trace.Span }

// Link implements core.Span. OpenTelemetry keeps 128 links of a span.
func (s span) Link(other core.Span) {
	if o, ok := other.(span); ok {
		s.AddLink(trace.Link{SpanContext: o.SpanContext()})
	}
}

// End implements core.Span.
func (s span) End() { s.Span.End() }
