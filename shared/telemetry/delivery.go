package telemetry

import (
	"context"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Delivery is how the last spans fared on their way out of the process.
type Delivery struct {
	Took   time.Duration
	Failed bool
}

// Delivered tells of the last spans that were sent; ok is false where none were
// yet.
func (t *Telemetry) Delivered() (last Delivery, ok bool) {
	if d := t.delivery.Load(); d != nil {
		return *d, true
	}
	return Delivery{}, false
}

// Sends reports whether spans are sent anywhere.
func (t *Telemetry) Sends() bool { return t.sends }

// watched notes how each delivery went.
type watched struct {
	sdktrace.SpanExporter
	last *atomic.Pointer[Delivery]
}

// ExportSpans implements sdktrace.SpanExporter.
func (w watched) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	start := time.Now()
	err := w.SpanExporter.ExportSpans(ctx, spans)
	w.last.Store(&Delivery{Took: time.Since(start), Failed: err != nil})
	return err
}
