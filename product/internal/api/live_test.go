package api_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"craftista/product/internal/api"
	"craftista/product/internal/core"
	"craftista/shared/health"
	"craftista/shared/telemetry"
)

// stream checks how a stream begins against the document.
func (s suite) stream(t *testing.T) {
	w := call(t, s.h, "HEAD", "/api/votes/stream?ids=", "")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
	} {
		if got := w.Header().Get(name); w.Code != 200 || got != want {
			t.Errorf("status %d, %s %q, want %q", w.Code, name, got, want)
		}
	}
}

// zeros is a core.CountReader where so many products have no votes.
type zeros int

func (z zeros) Counts(_ context.Context, ids []int64) ([]core.Count, error) {
	var all []core.Count
	for _, id := range ids {
		all = append(all, core.Count{ID: id})
	}
	return all, nil
}

func (z zeros) IDs(_ context.Context, limit int) ([]int64, error) {
	ids := make([]int64, min(int(z), limit))
	for i := range ids {
		ids[i] = int64(i) + 1
	}
	return ids, nil
}

// connection records a stream, for which it has deadlines as a server's has.
type connection struct{ *httptest.ResponseRecorder }

func (connection) SetReadDeadline(time.Time) error  { return nil }
func (connection) SetWriteDeadline(time.Time) error { return nil }

func TestStream(t *testing.T) {
	t.Parallel()
	const heartbeats = ": still here\n\n: still here\n\n"
	event := func(id string) string { return "event: vote\ndata: {\"origami_id\":" + id + ",\"votes\":0}\n\n" }
	for query, want := range map[string]string{
		"":                       event("1") + event("2"),
		"?ids=7,5,7,2147483648":  event("5") + event("7") + event("2147483648"),
		"?ids=5&Last-Event-ID=9": event("5"),
	} {
		synctest.Test(t, func(t *testing.T) {
			live := core.NewCountBroadcaster(zeros(2), telemetry.Discard().Log)
			routes := api.Routes(telemetry.Discard(), nil, live, nil, health.Service{})
			ctx, stop := context.WithTimeout(t.Context(), 31*time.Second)
			defer stop()
			go live.Run(ctx)
			r := httptest.NewRequestWithContext(ctx, "GET", "/api/votes/stream"+query, nil)
			r.Header.Set("Last-Event-ID", "5")
			c := connection{httptest.NewRecorder()}
			routes.ServeHTTP(c, r)
			if got := c.Body.String(); got != "retry: 2000\n\n"+want+heartbeats {
				t.Errorf("%q: got %q", query, got)
			}
		})
	}
}

func TestStreamOfAllNeedsASmallCatalogue(t *testing.T) {
	t.Parallel()
	live := core.NewCountBroadcaster(zeros(1001), telemetry.Discard().Log)
	routes := api.Routes(telemetry.Discard(), nil, live, nil, health.Service{})
	got := body[problem](t, call(t, routes, "GET", "/api/votes/stream", ""), 422).Errors
	if want := []field{{"ids", "is required: there are more than 1000 products"}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
