package redis

import (
	"errors"
	"testing"

	"craftista/product/internal/redistest"
	"craftista/shared/telemetry"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// observed returns a client of the server, its spans and what measures it.
func observed(t *testing.T, server *redistest.Server) (*redis.Client, *tracetest.InMemoryExporter, *metric.ManualReader) {
	t.Helper()
	spans, reader := tracetest.NewInMemoryExporter(), metric.NewManualReader()
	tel, err := telemetry.New(t.Context(), "product", "", telemetry.Options{Exporter: spans})
	if err != nil {
		t.Fatal(err)
	}
	tel.Metrics = metric.NewMeterProvider(metric.WithReader(reader))
	client := redis.NewClient(&redis.Options{Addr: server.Addr, DisableIdentity: true, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	if err := instrument(client, tel); err != nil {
		t.Fatal(err)
	}
	return client, spans, reader
}

func TestCommandsAreSpansWithoutTheirArguments(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client, spans, reader := observed(t, server)
	if err := client.Set(t.Context(), "secret-key", "secret-value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.Get(t.Context(), "nothing").Err(); !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	if _, err := client.Pipelined(t.Context(), func(p redis.Pipeliner) error { return p.Del(t.Context(), "a").Err() }); err != nil {
		t.Fatal(err)
	}
	got := map[string]codes.Code{}
	for _, s := range spans.GetSpans() {
		attributes := map[string]string{}
		for _, a := range s.Attributes {
			attributes[string(a.Key)] = a.Value.String()
		}
		if attributes["db.system.name"] != "redis" || attributes["db.operation.name"] != s.Name || attributes["server.address"] != "127.0.0.1" || len(attributes) != 4 {
			t.Errorf("span %q says %v", s.Name, attributes)
		}
		got[s.Name] = s.Status.Code
	}
	for _, name := range []string{"dial", "set", "get", "pipeline"} {
		if code, ok := got[name]; !ok || code != codes.Unset {
			t.Errorf("no good span %q among %v", name, got)
		}
	}
	server.Kill()
	if err := client.Get(t.Context(), "nothing").Err(); err == nil {
		t.Fatal("a dead server answers")
	}
	all := spans.GetSpans()
	if last := all[len(all)-1]; last.Name != "get" || last.Status.Code != codes.Error || len(last.Events) == 0 {
		t.Errorf("the failure is not told: %s %v", last.Name, last.Status)
	}
	checkMeasures(t, reader)
}

func checkMeasures(t *testing.T, reader *metric.ManualReader) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, m := range all.ScopeMetrics[0].Metrics {
		got[m.Name] = true
	}
	want := map[string]bool{"db.client.operation.duration": true, "db.client.connection.count": true, "db.client.connection.timeouts": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("measures (-want +got):\n%s", diff)
	}
}

// TestRequestsThatAreNotTracedHaveNoSpans: a command outside any request is
// traced, one of a request that the sampler left out is not.
func TestRequestsThatAreNotTracedHaveNoSpans(t *testing.T) {
	t.Parallel()
	client, spans, _ := observed(t, redistest.Start(t))
	if err := client.Ping(t.Context()).Err(); err != nil || len(spans.GetSpans()) == 0 {
		t.Errorf("%d spans, %v", len(spans.GetSpans()), err)
	}
	spans.Reset()
	off, err := telemetry.New(t.Context(), "product", "", telemetry.Options{Sampling: telemetry.Sampling{Sampler: "always_off"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := off.Traces.Tracer("test").Start(t.Context(), "a request")
	defer span.End()
	if err := client.Ping(ctx).Err(); err != nil || len(spans.GetSpans()) != 0 {
		t.Errorf("spans %v, %v", spans.GetSpans(), err)
	}
}
