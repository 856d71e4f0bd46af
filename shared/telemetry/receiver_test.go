package telemetry_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortraces "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver is an OTLP/HTTP receiver, which decodes what it is sent.
type receiver struct {
	url      string
	mu       sync.Mutex // guards the rest
	requests []*http.Request
	traces   []*collectortraces.ExportTraceServiceRequest
	metrics  []*collectormetrics.ExportMetricsServiceRequest
	logs     []*collectorlogs.ExportLogsServiceRequest
}

func newReceiver(t *testing.T, status int) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(status)
		if err := r.receive(req); err != nil {
			t.Errorf("%s: %v", req.URL, err)
		}
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *receiver) receive(req *http.Request) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, req)
	if req.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(req.Body)
		if err != nil {
			return err
		}
		req.Body = unzipped
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return err
	}
	switch req.URL.Path {
	case "/v1/traces", "/only-traces":
		r.traces = append(r.traces, &collectortraces.ExportTraceServiceRequest{})
		return proto.Unmarshal(body, r.traces[len(r.traces)-1])
	case "/v1/metrics":
		r.metrics = append(r.metrics, &collectormetrics.ExportMetricsServiceRequest{})
		return proto.Unmarshal(body, r.metrics[len(r.metrics)-1])
	default:
		r.logs = append(r.logs, &collectorlogs.ExportLogsServiceRequest{})
		return proto.Unmarshal(body, r.logs[len(r.logs)-1])
	}
}

// all are the requests so far.
func (r *receiver) all() []*http.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}
