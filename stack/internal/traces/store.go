// Package traces stores the spans and metrics of recent requests in memory, shows
// each request as a waterfall and charts the rates, failures and latencies of the
// routes, for a laptop that runs no Jaeger and no Grafana.
package traces

import (
	"context"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	maxTraces = 1000 // the oldest is removed first
	maxSpans  = 500  // of one trace; later ones are dropped
)

// Trace has the finished spans of one request so far, in no order.
type Trace struct {
	ID    trace.TraceID
	Spans []sdktrace.ReadOnlySpan
}

// Store is a span exporter that stores spans. It is safe for concurrent use; the
// zero value is ready.
type Store struct {
	mu     sync.Mutex // guards traces
	traces []*Trace   // oldest first
}

// ExportSpans implements sdktrace.SpanExporter.
func (s *Store) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, span := range spans {
		id := span.SpanContext().TraceID()
		t := s.find(id)
		if t == nil {
			t = &Trace{ID: id}
			s.traces = append(s.traces, t)
			s.traces = s.traces[max(0, len(s.traces)-maxTraces):]
		}
		if len(t.Spans) < maxSpans {
			t.Spans = append(t.Spans, span)
		}
	}
	return nil
}

// Shutdown implements sdktrace.SpanExporter.
func (s *Store) Shutdown(context.Context) error { return nil }

// find returns nil for an unknown trace; s.mu is held.
func (s *Store) find(id trace.TraceID) *Trace {
	for _, t := range slices.Backward(s.traces) {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// Recent returns all traces as they are, newest first.
func (s *Store) Recent() []Trace {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Trace, 0, len(s.traces))
	for _, t := range slices.Backward(s.traces) {
		all = append(all, *t) // later spans are appended to the store's own slice
	}
	return all
}

// Find returns one trace as it is and whether it is there.
func (s *Store) Find(id trace.TraceID) (Trace, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.find(id); t != nil {
		return *t, true
	}
	return Trace{}, false
}

// has reports whether one of the steps is a request of the route.
func (t Trace) has(r route) bool {
	return slices.ContainsFunc(t.Spans, func(s sdktrace.ReadOnlySpan) bool {
		return s.Name() == r.Name && Step{s, 0}.Service() == r.Service
	})
}

// Step is a span at its place in the tree of its trace.
type Step struct {
	sdktrace.ReadOnlySpan
	Depth int // 0 for the first
}

// Service is the name of the service whose step it is.
func (s Step) Service() string {
	name, _ := s.Resource().Set().Value("service.name")
	return name.AsString()
}

// Failed reports whether the step ended with an error.
func (s Step) Failed() bool { return s.Status().Code == codes.Error }

// Steps puts the spans in the order in which a reader follows them: parents
// before children, siblings by start. A span whose parent is not here (it has
// not ended yet, or another program made it) stands at the top.
func (t Trace) Steps() []Step {
	children := map[trace.SpanID][]sdktrace.ReadOnlySpan{}
	known := map[trace.SpanID]bool{}
	for _, s := range t.Spans {
		known[s.SpanContext().SpanID()] = true
	}
	for _, s := range t.Spans {
		parent := s.Parent().SpanID()
		if !known[parent] {
			parent = trace.SpanID{}
		}
		children[parent] = append(children[parent], s)
	}
	steps := make([]Step, 0, len(t.Spans))
	var walk func(parent trace.SpanID, depth int)
	walk = func(parent trace.SpanID, depth int) {
		siblings := children[parent]
		slices.SortStableFunc(siblings, func(a, b sdktrace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
		for _, s := range siblings {
			steps = append(steps, Step{s, depth})
			walk(s.SpanContext().SpanID(), depth+1)
		}
	}
	walk(trace.SpanID{}, 0)
	return steps
}
