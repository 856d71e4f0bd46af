package telemetry_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"craftista/shared/telemetry"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// failing is an exporter that may be told to fail.
type failing struct {
	*tracetest.InMemoryExporter
	err error
}

func (f *failing) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return f.err }

func TestDeliveredTellsOfTheLastSpans(t *testing.T) {
	t.Parallel()
	collector := &failing{InMemoryExporter: tracetest.NewInMemoryExporter()}
	tel := start(t, telemetry.Options{Exporter: collector, Log: slog.DiscardHandler})
	if _, ok := tel.Delivered(); ok || !tel.Sends() {
		t.Errorf("before any span: delivered %v, sends %v", ok, tel.Sends())
	}
	for _, failure := range []error{nil, errors.New("refused"), nil} {
		collector.err = failure
		_, span := tel.Traces.Tracer("test").Start(t.Context(), "fold")
		span.End()
		if last, ok := tel.Delivered(); !ok || last.Failed != (failure != nil) || last.Took < 0 {
			t.Errorf("the exporter says %v: %+v, %v", failure, last, ok)
		}
	}
	if telemetry.Discard().Sends() {
		t.Error("discarded telemetry is sent")
	}
}

// TestCancelledIsNotFailed: a deadline is still a failure.
func TestCancelledIsNotFailed(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]codes.Code{
		context.Canceled: codes.Unset, context.DeadlineExceeded: codes.Error, errors.New("refused"): codes.Error,
	} {
		sent := tracetest.NewInMemoryExporter()
		_, span := start(t, telemetry.Options{Exporter: sent}).Traces.Tracer("test").Start(t.Context(), "fold")
		span.SetStatus(codes.Error, err.Error())
		span.End()
		if got := sent.GetSpans()[0].Status.Code; got != want {
			t.Errorf("%v: status %v, want %v", err, got, want)
		}
	}
}
