package traces

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
)

const (
	step      = 5 * time.Second // from one collection to the next
	maxSteps  = 180             // that are stored: 15 minutes
	minute    = 12              // steps
	maxSeries = 200             // of one service in one step; the SDK counts the others as one
	scale     = 3               // of the histograms: 2^3 buckets from a duration to its double
)

// Metrics are the requests that services answered in the last 15 minutes, read from their own metric
// http.server.request.duration. It is safe for concurrent use; the zero value is ready.
type Metrics struct {
	mu      sync.Mutex // guards the fields below
	readers []*sdkmetric.ManualReader
	steps   [][]point // oldest first
}

// route is a service's route, named as its spans are: "GET /origamis/{id}". All of a service have the name "".
type route struct{ Service, Name string }

// point is what was answered in one step on one route, with one status.
type point struct {
	route
	failed  bool // with 5xx
	buckets metricdata.ExponentialBucket
}

// Reader returns the reader for one service's telemetry. Its buckets are narrower than the usual ones, of which the
// first has all that takes less than 5 ms, and so many that their scale never falls.
func (m *Metrics) Reader() sdkmetric.Reader {
	r := sdkmetric.NewManualReader(
		sdkmetric.WithTemporalitySelector(sdkmetric.DeltaTemporalitySelector),
		sdkmetric.WithCardinalityLimitSelector(func(sdkmetric.InstrumentKind) (int, bool) { return maxSeries, false }),
		sdkmetric.WithAggregationSelector(func(kind sdkmetric.InstrumentKind) sdkmetric.Aggregation {
			if kind != sdkmetric.InstrumentKindHistogram {
				return sdkmetric.AggregationDrop{}
			}
			return sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 64 << scale, MaxScale: scale, NoMinMax: true}
		}))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readers = append(m.readers, r)
	return r
}

// Run collects every 5 s until ctx is done.
func (m *Metrics) Run(ctx context.Context) error {
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			m.Collect(ctx)
		}
	}
}

// Collect ends a step. A service that does not run has nothing in it.
func (m *Metrics) Collect(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var points []point
	for _, r := range m.readers {
		var all metricdata.ResourceMetrics
		_ = r.Collect(ctx, &all) // an error says that the service does not run
		for _, scope := range all.ScopeMetrics {
			for _, metric := range scope.Metrics {
				h, ok := metric.Data.(metricdata.ExponentialHistogram[float64])
				if !ok || metric.Name != "http.server.request.duration" {
					continue
				}
				for _, p := range h.DataPoints {
					points = append(points, newPoint(all.Resource.Set(), p))
				}
			}
		}
	}
	m.steps = append(m.steps, points)
	m.steps = m.steps[max(0, len(m.steps)-maxSteps):]
}

func newPoint(resource *attribute.Set, p metricdata.ExponentialHistogramDataPoint[float64]) point {
	service, _ := resource.Value(semconv.ServiceNameKey)
	method, _ := p.Attributes.Value(semconv.HTTPRequestMethodKey)
	pattern, _ := p.Attributes.Value(semconv.HTTPRouteKey)
	status, _ := p.Attributes.Value(semconv.HTTPResponseStatusCodeKey)
	name := strings.TrimSpace(method.AsString() + " " + pattern.AsString())
	if name == "" {
		name = "other" // above maxSeries
	}
	return point{route{service.AsString(), name}, status.AsInt64() >= 500, p.PositiveBucket}
}

// total is what was answered on a route.
type total struct {
	requests, failed uint64
	durations        histogram
}

// sum adds up the steps.
func sum(steps [][]point) map[route]*total {
	totals := map[route]*total{}
	for _, p := range slices.Concat(steps...) {
		for _, r := range []route{p.route, {p.Service, ""}} {
			if totals[r] == nil {
				totals[r] = &total{durations: histogram{}}
			}
			totals[r].add(p)
		}
	}
	return totals
}

func (t *total) add(p point) {
	for i, n := range p.buckets.Counts {
		t.requests += n
		if p.failed {
			t.failed += n
		}
		if n > 0 {
			t.durations[int(p.buckets.Offset)+i] += n
		}
	}
}

// histogram counts durations by bucket: i has those above bound(i), up to bound(i+1).
type histogram map[int]uint64

// bound is in seconds. https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
func bound(i int) float64 { return math.Exp2(float64(i) / (1 << scale)) }

// quantile is the duration in seconds that the share q of all does not exceed. Like Prometheus' histogram_quantile it
// takes the durations of a bucket to be spread evenly over it.
func (t *total) quantile(q float64) float64 {
	rank := q * float64(t.requests)
	for _, i := range slices.Sorted(maps.Keys(t.durations)) {
		n := float64(t.durations[i])
		if rank <= n {
			return bound(i) + (bound(i+1)-bound(i))*rank/n
		}
		rank -= n
	}
	return 0
}
