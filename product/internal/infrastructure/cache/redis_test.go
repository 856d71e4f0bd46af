package cache

import (
	"strings"
	"testing"

	"craftista/product/internal/core"
	"craftista/product/internal/redistest"
	"craftista/shared/telemetry"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
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
	s, err := openServer(server.URL(), timeout, tel)
	if err != nil {
		t.Fatal(err)
	}
	c := newCache(s, newView(&memory{}, DefaultFenceTime, tel.Log), tel.Log)
	t.Cleanup(func() { _ = c.Close() })
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
