package telemetry

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

// Sampling says what becomes a trace, by the names and values of OpenTelemetry's
// environment variables. The zero value traces every request, also one whose
// caller's traceparent asks not to be: a trace that a page links must be there.
// What is not traced has ids all the same, for logs and the header Trace-Id.
type Sampling struct {
	Disabled   bool   `env:"OTEL_SDK_DISABLED"`       // neither traces nor metrics
	Sampler    string `env:"OTEL_TRACES_SAMPLER"`     // always_on, always_off, traceidratio; or parentbased_ and one
	SamplerArg string `env:"OTEL_TRACES_SAMPLER_ARG"` // the part that traceidratio traces, 0 to 1; "" is all
}

// withoutProbes samples no health check, nor what is done for one: they come every few seconds and would hide the rest.
type withoutProbes struct{ sdktrace.Sampler }

// ShouldSample implements sdktrace.Sampler.
func (s withoutProbes) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	parent := trace.SpanContextFromContext(p.ParentContext)
	below := parent.IsValid() && !parent.IsRemote() && !parent.IsSampled()
	if below || p.Kind == trace.SpanKindServer && slices.ContainsFunc(p.Attributes, isProbe) {
		return sdktrace.NeverSample().ShouldSample(p)
	}
	return s.Sampler.ShouldSample(p)
}

func isProbe(a attribute.KeyValue) bool {
	return a.Key == semconv.URLPathKey && slices.Contains([]string{"/livez", "/readyz"}, a.Value.AsString())
}

// sampler is the specification's, see OpenTelemetry Environment Variable
// Specification, "General SDK Configuration".
func (s Sampling) sampler() (sdktrace.Sampler, error) {
	ratio := 1.0
	if s.SamplerArg != "" {
		var err error
		if ratio, err = strconv.ParseFloat(s.SamplerArg, 64); err != nil || !(ratio >= 0 && ratio <= 1) { // NaN is none
			return nil, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG is %q, which is no number from 0 to 1", s.SamplerArg)
		}
	}
	if s.Disabled {
		return sdktrace.NeverSample(), nil
	}
	root, parentBased := strings.CutPrefix(cmp.Or(s.Sampler, "always_on"), "parentbased_")
	sampler, ok := map[string]sdktrace.Sampler{
		"always_on":    sdktrace.AlwaysSample(),
		"always_off":   sdktrace.NeverSample(),
		"traceidratio": sdktrace.TraceIDRatioBased(ratio),
	}[root]
	if !ok {
		return nil, fmt.Errorf("OTEL_TRACES_SAMPLER is %q, which is no sampler of the specification", s.Sampler)
	}
	if parentBased {
		sampler = sdktrace.ParentBased(sampler)
	}
	return withoutProbes{sampler}, nil
}
