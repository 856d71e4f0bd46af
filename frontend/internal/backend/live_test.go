package backend_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/shared/telemetry"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// TestWhoLeavesAStreamIsNoFailure in the trace; a catalogue that is silent is one, and is asked again.
func TestWhoLeavesAStreamIsNoFailure(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		silent      int32 // streams
		pageTimeout time.Duration
		want        codes.Code // of the first
	}{
		{"the listener leaves", 0, time.Hour, codes.Unset},
		{"the catalogue is silent", 1, 100 * time.Millisecond, codes.Error},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			product := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) > row.silent {
					_, _ = io.WriteString(w, "data: {\"origami_id\":1,\"votes\":0}\n\n")
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
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			live := backend.New(backend.URLs{Product: product.URL}, "", row.pageTimeout, tel).Live
			var running sync.WaitGroup
			running.Go(func() { live.Run(ctx) })
			if err := live.Listen(ctx, []int64{1}, func([]backend.Count) error { return io.EOF }); !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			stop()
			running.Wait()
			if got := spans.GetSpans()[0].Status; got.Code != row.want {
				t.Errorf("status %+v, want %v", got, row.want)
			}
		})
	}
}
