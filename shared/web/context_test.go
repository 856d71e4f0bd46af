package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"craftista/shared/telemetry"
	"craftista/shared/web"
)

// serveIn answers one request, which comes with ctx, by h.
func serveIn(ctx context.Context, h func(context.Context)) {
	r := web.NewRouter(telemetry.Discard(), web.Problem)
	r.Get("/", func(_ http.ResponseWriter, req *http.Request) error {
		h(req.Context())
		return nil
	})
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
}

func TestRequestsEndInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		serveIn(t.Context(), func(ctx context.Context) {
			if end, ok := ctx.Deadline(); !ok || !end.Equal(start.Add(web.RequestTimeout)) {
				t.Errorf("deadline %v, %t", end, ok)
			}
			if ctx.Err() != nil {
				t.Error(ctx.Err())
			}
			<-ctx.Done()
			if took := time.Since(start); took != web.RequestTimeout || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Errorf("ended after %v: %v", took, ctx.Err())
			}
		})
	})
}

func TestRequestsEndSoonerWithTheirCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		caller, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		serveIn(caller, func(ctx context.Context) {
			if end, ok := ctx.Deadline(); !ok || !end.Equal(start.Add(time.Second)) {
				t.Errorf("deadline %v, %t", end, ok)
			}
			<-ctx.Done()
		})
		caller, hangUp := context.WithCancel(t.Context())
		serveIn(caller, func(ctx context.Context) {
			hangUp()
			<-ctx.Done()
			if !errors.Is(ctx.Err(), context.Canceled) {
				t.Error(ctx.Err())
			}
		})
		if took := time.Since(start); took != time.Second {
			t.Errorf("both took %v", took)
		}
	})
}

// TestWhatIsMadeOfARequestEndsWithIt: contexts, and whoever waits for them or
// for the request's, whether they began to wait before its end or after.
func TestWhatIsMadeOfARequestEndsWithIt(t *testing.T) {
	t.Parallel()
	for _, waits := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var own, made context.Context
			serveIn(t.Context(), func(ctx context.Context) {
				own, made = ctx, context.Background()
				if waits {
					var cancel context.CancelFunc
					made, cancel = context.WithCancel(context.WithValue(ctx, t, t))
					t.Cleanup(cancel)
				}
			})
			start := time.Now()
			<-own.Done()
			if waits {
				<-made.Done()
			}
			if took := time.Since(start); took != 0 || !errors.Is(own.Err(), context.Canceled) {
				t.Errorf("waited %v for the end of a request: %v", took, own.Err())
			}
		})
	}
}
