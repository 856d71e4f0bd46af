package telemetry_test

import (
	"strings"
	"testing"

	"craftista/shared/telemetry"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// TestSampling starts a span for a request whose caller says nothing, one whose
// caller traces and one whose caller does not.
func TestSampling(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name                   string
		sampling               telemetry.Sampling
		alone, traced, skipped bool
	}{
		{"the default", telemetry.Sampling{}, true, true, true},
		{"always on", telemetry.Sampling{Sampler: "always_on"}, true, true, true},
		{"always off", telemetry.Sampling{Sampler: "always_off"}, false, false, false},
		{"disabled", telemetry.Sampling{Disabled: true, Sampler: "always_on"}, false, false, false},
		{"all by ratio", telemetry.Sampling{Sampler: "traceidratio"}, true, true, true},
		{"none by ratio", telemetry.Sampling{Sampler: "traceidratio", SamplerArg: "0"}, false, false, false},
		{"as the caller, else on", telemetry.Sampling{Sampler: "parentbased_always_on"}, true, true, false},
		{"as the caller, else off", telemetry.Sampling{Sampler: "parentbased_always_off"}, false, true, false},
		{
			"as the caller, else by ratio", telemetry.Sampling{Sampler: "parentbased_traceidratio", SamplerArg: "0"},
			false, true, false,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			spans := tracetest.NewInMemoryExporter()
			tel := start(t, telemetry.Options{Sampling: row.sampling, Exporter: spans})
			for parent, want := range map[string]bool{
				"": row.alone,
				"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": row.traced,
				"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00": row.skipped,
			} {
				spans.Reset()
				ctx := tel.Propagator.Extract(t.Context(), propagation.MapCarrier{"traceparent": parent})
				ctx, span := tel.Traces.Tracer("test").Start(ctx, "fold")
				span.End()
				if got := len(spans.GetSpans()) == 1; got != want || trace.SpanContextFromContext(ctx).IsSampled() != want {
					t.Errorf("caller %q: exported %t, want %t", parent, got, want)
				}
				if id := telemetry.TraceID(ctx); len(id) != 32 || parent != "" && !strings.Contains(parent, id) {
					t.Errorf("caller %q: trace id %q", parent, id)
				}
			}
			if err := tel.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSamplingRefusesWhatTheSpecificationHasNot(t *testing.T) {
	t.Parallel()
	for _, s := range []telemetry.Sampling{
		{Sampler: "sometimes"}, {SamplerArg: "most"}, {SamplerArg: "-0.1"}, {SamplerArg: "1.1"}, {SamplerArg: "NaN"},
	} {
		_, err := telemetry.New(t.Context(), "test", "", telemetry.Options{Sampling: s})
		if err == nil || !strings.Contains(err.Error(), "OTEL_TRACES_SAMPLER") {
			t.Errorf("%+v: error %v", s, err)
		}
	}
}
