package web_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"craftista/shared/fault"
	"craftista/shared/telemetry"
	"craftista/shared/web"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// values are those of a sum by its only attribute.
func values(t *testing.T, reader metric.Reader, name string) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.WithoutCancel(t.Context()), &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, m := range allMetrics(all) {
		if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == name {
			for _, point := range sum.DataPoints {
				got[point.Attributes.ToSlice()[0].Value.String()] = point.Value
			}
		}
	}
	return got
}

func TestCountByOutcome(t *testing.T) {
	t.Parallel()
	reader := metric.NewManualReader()
	tel, err := telemetry.New(t.Context(), "test", "", telemetry.Options{Reader: reader, Log: slog.DiscardHandler})
	if err != nil {
		t.Fatal(err)
	}
	torn := errors.New("torn")
	r := web.NewRouter(tel, web.ProblemWith(func(err error) bool { return errors.Is(err, torn) }))
	counter := tel.Counter("craftista.folds", "{fold}", "Folds.")
	for path, err := range map[string]error{
		"/folded": nil, "/throttled": fault.New(fault.Throttled, "wait"), "/torn": torn, "/broken": errors.New("broken"),
	} {
		r.Post(path, web.Count(counter, "folded", func(w http.ResponseWriter, r *http.Request) error {
			if err != nil {
				return err
			}
			return ok(w, r)
		}))
		send(r, "POST", path)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(gone, "POST", "/broken", nil))
	want := map[string]int64{
		"folded": 1, "too_many_requests": 1, "service_unavailable": 1, "internal_server_error": 1, "cancelled": 1,
	}
	if diff := cmp.Diff(want, values(t, reader, "craftista.folds")); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestListenersAreMeasured(t *testing.T) {
	t.Parallel()
	reader := metric.NewManualReader()
	r := newRouter(t, telemetry.Options{Reader: reader})
	r.Stream("/hold", time.Second, func(*http.Request) (web.EventStream, error) { return hold, nil })
	url, stop := serve(t, r)
	res, err := http.Get(url + "/hold")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	for _, listening := range []int64{1, 0} {
		want := map[string]int64{"/hold": listening}
		if diff := cmp.Diff(want, values(t, reader, "craftista.live.listeners")); diff != "" {
			t.Errorf("listeners (-want +got):\n%s", diff)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
}
