package backend_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/shared/telemetry"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// TestWhoLeavesAStreamIsNoFailure in the trace; a catalogue that is silent is one.
func TestWhoLeavesAStreamIsNoFailure(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, sends string
		pageTimeout time.Duration
		want        codes.Code
	}{
		{"the listener leaves", "data: {}\n\n", time.Hour, codes.Unset},
		{"the catalogue is silent", "", time.Millisecond, codes.Error},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			product := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, row.sends)
				if row.sends != "" {
					_ = http.NewResponseController(w).Flush()
				}
				<-r.Context().Done()
			}))
			defer product.Close()
			spans := tracetest.NewInMemoryExporter()
			tel, err := telemetry.New(t.Context(), "frontend", "", telemetry.Options{Exporter: spans})
			if err != nil {
				t.Fatal(err)
			}
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			live := backend.New(backend.URLs{Product: product.URL}, "", row.pageTimeout, tel).Live
			_ = live.Listen(ctx, []int64{1}, func([]backend.Count) error {
				leave()
				return nil
			})
			if got := spans.GetSpans()[0].Status; got.Code != row.want {
				t.Errorf("status %+v, want %v", got, row.want)
			}
		})
	}
}
