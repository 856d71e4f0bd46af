// Package traces stores the spans of recent requests in memory and shows each
// request as a waterfall, for a laptop that runs no Jaeger.
package traces

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	maxTraces = 1000 // the oldest is removed first
	maxSpans  = 500  // of one trace; later ones are dropped
)

// Span is one finished step of a trace.
type Span struct {
	ID, Parent trace.SpanID // Parent is zero for the first step
	Service    string
	Name       string
	Start      time.Time
	Duration   time.Duration
	Failed     bool
	Attributes [][2]string     // key and value, in the order they were set
	Links      []trace.TraceID // of other traces that it points at
}

// Trace has the spans of one request so far.
type Trace struct {
	ID    trace.TraceID
	Spans []Span // in no order
}

// Store is a span exporter that stores spans. It is safe for concurrent use; the
// zero value is ready.
type Store struct {
	mu     sync.Mutex // guards the rest
	traces map[trace.TraceID]*Trace
	order  []trace.TraceID // oldest first
}

// ExportSpans implements sdktrace.SpanExporter.
func (s *Store) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, span := range spans {
		t := s.trace(span.SpanContext().TraceID())
		if len(t.Spans) < maxSpans {
			t.Spans = append(t.Spans, convert(span))
		}
	}
	return nil
}

// Shutdown implements sdktrace.SpanExporter.
func (s *Store) Shutdown(context.Context) error { return nil }

// trace is the trace of that id, made if new; s.mu is held.
func (s *Store) trace(id trace.TraceID) *Trace {
	if t, ok := s.traces[id]; ok {
		return t
	}
	if s.traces == nil {
		s.traces = map[trace.TraceID]*Trace{}
	}
	if len(s.order) == maxTraces {
		delete(s.traces, s.order[0])
		s.order = s.order[1:]
	}
	t := &Trace{ID: id}
	s.traces[id], s.order = t, append(s.order, id)
	return t
}

// Recent returns copies of all traces, newest first.
func (s *Store) Recent() []Trace {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Trace, 0, len(s.order))
	for _, id := range slices.Backward(s.order) {
		all = append(all, Trace{ID: id, Spans: slices.Clone(s.traces[id].Spans)})
	}
	return all
}

// Find returns a copy of one trace and whether it is there.
func (s *Store) Find(id trace.TraceID) (Trace, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.traces[id]
	if !ok {
		return Trace{}, false
	}
	return Trace{ID: id, Spans: slices.Clone(t.Spans)}, true
}

func convert(s sdktrace.ReadOnlySpan) Span {
	span := Span{
		ID: s.SpanContext().SpanID(), Parent: s.Parent().SpanID(), Name: s.Name(),
		Start: s.StartTime(), Duration: s.EndTime().Sub(s.StartTime()), Failed: s.Status().Code == codes.Error,
	}
	if service, ok := s.Resource().Set().Value("service.name"); ok {
		span.Service = service.AsString()
	}
	for _, a := range s.Attributes() {
		span.Attributes = append(span.Attributes, [2]string{string(a.Key), a.Value.String()})
	}
	for _, l := range s.Links() {
		span.Links = append(span.Links, l.SpanContext.TraceID())
	}
	return span
}

// Step is a span at its place in the tree of its trace.
type Step struct {
	Span
	Depth int // 0 for the first
}

// Steps puts the spans in the order in which a reader follows them: parents
// before children, siblings by start. A span whose parent is not here (it has
// not ended yet, or another program made it) stands at the top.
func (t Trace) Steps() []Step {
	children := map[trace.SpanID][]Span{}
	known := map[trace.SpanID]bool{}
	for _, s := range t.Spans {
		known[s.ID] = true
	}
	for _, s := range t.Spans {
		parent := s.Parent
		if !known[parent] {
			parent = trace.SpanID{}
		}
		children[parent] = append(children[parent], s)
	}
	steps := make([]Step, 0, len(t.Spans))
	var walk func(parent trace.SpanID, depth int)
	walk = func(parent trace.SpanID, depth int) {
		siblings := children[parent]
		slices.SortFunc(siblings, func(a, b Span) int {
			return cmp.Or(a.Start.Compare(b.Start), slices.Compare(a.ID[:], b.ID[:]))
		})
		for _, s := range siblings {
			steps = append(steps, Step{Span: s, Depth: depth})
			walk(s.ID, depth+1)
		}
	}
	walk(trace.SpanID{}, 0)
	return steps
}
