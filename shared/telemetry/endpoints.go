package telemetry

import (
	"cmp"
	"fmt"
	"net/url"
)

// Endpoints are where the signals go, by the names and values of OpenTelemetry's environment variables. Unlike the
// specification, the zero value sends nothing: whoever runs a service has a collector or has none.
type Endpoints struct {
	OTLPEndpoint    string `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`         // over HTTP, as http://localhost:4318; "" is none
	TracesEndpoint  string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"`  // the whole URL, instead of the above
	MetricsEndpoint string `env:"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"` // likewise
	LogsEndpoint    string `env:"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"`
	TracesExporter  string `env:"OTEL_TRACES_EXPORTER"` // otlp or none; "" is otlp if there is an endpoint
	MetricsExporter string `env:"OTEL_METRICS_EXPORTER"`
	LogsExporter    string `env:"OTEL_LOGS_EXPORTER"`
}

// Traces is the URL that spans are sent to, "" for none. The error is a setting that cannot be.
func (e Endpoints) Traces() (string, error) {
	return e.of("traces", e.TracesEndpoint, e.TracesExporter)
}

func (e Endpoints) metrics() (string, error) {
	return e.of("metrics", e.MetricsEndpoint, e.MetricsExporter)
}
func (e Endpoints) logs() (string, error) { return e.of("logs", e.LogsEndpoint, e.LogsExporter) }

// of is the URL for a signal, "" for none; see OpenTelemetry Protocol Exporter, "Endpoint URLs for OTLP/HTTP".
func (e Endpoints) of(signal, own, exporter string) (string, error) {
	base := e.OTLPEndpoint
	switch exporter {
	case "":
	case "otlp":
		base = cmp.Or(base, "http://localhost:4318")
	case "none":
		return "", nil
	default:
		return "", fmt.Errorf("the exporter of %s is %q, and can only be otlp or none", signal, exporter)
	}
	if own == "" && base == "" {
		return "", nil
	}
	u, err := url.Parse(cmp.Or(own, base))
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("the OTLP endpoint of %s is not of the form http://host:port", signal)
	}
	if own == "" {
		u = u.JoinPath("v1", signal)
	}
	return u.String(), nil
}
