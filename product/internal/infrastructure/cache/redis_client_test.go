package cache

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"craftista/product/internal/core"
	"craftista/product/redistest"
	"craftista/shared/telemetry"
	"craftista/shared/waittest"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// TestSpans: commands for readers are spans, without their arguments and
// without an error where a product is only not cached; those of the connection
// and of health checks are none.
func TestSpans(t *testing.T) {
	t.Parallel()
	server, exported := redistest.Start(t), tracetest.NewInMemoryExporter()
	tel, err := telemetry.New(t.Context(), "product", "", telemetry.Options{Exporter: exported})
	if err != nil {
		t.Fatal(err)
	}
	c := openWith(t, server.URL(), &memoryStore{}, tel)
	if err := c.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	exported.Reset()
	fetch(t, c, 1, gives("secret"), "secret", core.Miss)
	fetch(t, c, 1, gives("secret"), "secret", core.Hit)
	invalidate(t.Context(), t, c, 1)
	server.Kill()
	fetch(t, c, 1, gives("secret"), "secret", core.Bypass)
	var got []string
	for _, span := range exported.GetSpans() {
		name := span.Name
		if span.Status.Code == codes.Error {
			name += " fails"
		}
		got = append(got, name)
		for _, a := range span.Attributes {
			if text := a.Value.String(); strings.Contains(text, "secret") || strings.Contains(text, prefix) {
				t.Errorf("%s says %s: %s", span.Name, a.Key, text)
			}
		}
	}
	// Redis has not seen the scripts before, and says so to evalsha.
	want := []string{"get", "evalsha fails", "eval", "get", "evalsha fails", "eval", "get", "del", "get fails"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("spans (-got +want):\n%s", diff)
	}
}

// TestMetrics counts what readers get and how changes reach the cache, and measures Redis in seconds.
func TestMetrics(t *testing.T) {
	t.Parallel()
	server, reader := redistest.Start(t), metric.NewManualReader()
	tel, err := telemetry.New(t.Context(), "product", "", telemetry.Options{Reader: reader})
	if err != nil {
		t.Fatal(err)
	}
	c := openWith(t, server.URL(), &memoryStore{}, tel)
	fetch(t, c, 1, gives("crane"), "crane", core.Miss)
	fetch(t, c, 1, gives("crane"), "crane", core.Hit)
	invalidate(t.Context(), t, c, 1)
	server.Kill()
	invalidate(t.Context(), t, c, 1)
	fetch(t, c, 1, gives("crane"), "crane", core.Bypass)
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					if outcome, ok := point.Attributes.Value("outcome"); ok {
						got[m.Name+" "+outcome.AsString()] = point.Value
					}
				}
			case metricdata.Histogram[float64]:
				got[m.Name+" "+m.Unit] = int64(len(data.DataPoints))
			}
		}
	}
	want := map[string]int64{
		"craftista.cache.requests hit": 1, "craftista.cache.requests miss": 1, "craftista.cache.requests bypass": 1,
		"craftista.cache.invalidations removed": 1, "craftista.cache.invalidations fenced": 1,
		"db.client.operation.duration s": 2, // with an error.type and without
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// lines is a log that a test reads.
type lines struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// TestOneLineForEachChange: a Redis that is unavailable, and one that refuses, is
// in the log once, not once for each reader.
func TestOneLineForEachChange(t *testing.T) {
	t.Parallel()
	server, log, tel := redistest.Start(t), &lines{}, telemetry.Discard()
	tel.Log = slog.New(slog.NewTextHandler(log, nil))
	c := openWith(t, server.URL(), &memoryStore{}, tel)
	for round := 1; round <= 2; round++ {
		id := int64(round) << 40
		until(t, c, id, `{}`, core.Miss)
		server.Kill()
		waittest.Until(t, "the breaker", func() bool {
			fetch(t, c, id, gives(`{}`), `{}`, core.Bypass)
			return log.count("cache unavailable") == round
		})
		for range 20 {
			fetch(t, c, id, gives(`{}`), `{}`, core.Bypass)
		}
		server.Restart()
		until(t, c, id+1, `{}`, core.Miss)
		server.Do("CONFIG SET maxmemory 1")
		for range 20 {
			fetch(t, c, id+2, gives(`{}`), `{}`, core.Bypass)
		}
		server.Do("CONFIG SET maxmemory 0")
		fetch(t, c, id+2, gives(`{}`), `{}`, core.Miss)
		for _, line := range []string{
			"cache unavailable", "cache available again", "cache refuses", "cache stores products again",
		} {
			if got := log.count(line); got != round {
				t.Errorf("round %d: %q %d times", round, line, got)
			}
		}
	}
}
