package traces_test

import (
	"context"
	"fmt"
	"html"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"craftista/stack/internal/traces"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func traceID(n int) trace.TraceID {
	var id trace.TraceID
	copy(id[:], fmt.Sprintf("%016d", n))
	return id
}

func spanContext(n int, id byte) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID(n), SpanID: trace.SpanID{id}})
}

// add exports one span of the trace n; times are in ms.
func add(t *testing.T, s *traces.Store, n int, service, name string, id, parent byte, start, took int) {
	t.Helper()
	at := time.Unix(1_700_000_000, 0).Add(time.Duration(start) * time.Millisecond)
	stub := tracetest.SpanStub{
		Name: name, StartTime: at, EndTime: at.Add(time.Duration(took) * time.Millisecond),
		SpanContext: spanContext(n, id),
		Parent:      spanContext(n, parent),
		Resource:    resource.NewSchemaless(attribute.String("service.name", service)),
		Links:       []sdktrace.Link{{SpanContext: spanContext(n+1, 1)}},
		Attributes:  []attribute.KeyValue{attribute.String("db.query.text", "SELECT '<b>'")},
	}
	if strings.HasPrefix(name, "bad") {
		stub.Status = sdktrace.Status{Code: codes.Error, Description: "why " + name}
	}
	if err := s.ExportSpans(context.Background(), []sdktrace.ReadOnlySpan{stub.Snapshot()}); err != nil {
		t.Fatal(err)
	}
}

func TestStepsFollowTheTree(t *testing.T) {
	t.Parallel()
	s := &traces.Store{}
	add(t, s, 1, "product", "query", 3, 2, 4, 1) // children end first
	add(t, s, 1, "product", "lost", 9, 8, 7, 1)  // its parent never ends
	add(t, s, 1, "product", "handle", 2, 1, 3, 5)
	add(t, s, 1, "recommendation", "earlier", 4, 1, 1, 9)
	add(t, s, 1, "frontend", "GET /", 1, 0, 0, 10)
	got, ok := s.Find(traceID(1))
	if !ok {
		t.Fatal("the trace is not there")
	}
	var tree []string
	for _, step := range got.Steps() {
		tree = append(tree, strings.Repeat("  ", step.Depth)+step.Service()+" "+step.Name())
	}
	want := []string{"frontend GET /", "  recommendation earlier", "  product handle", "    product query", "product lost"}
	if diff := cmp.Diff(want, tree); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestStoreRemovesTheOldest(t *testing.T) {
	t.Parallel()
	s := &traces.Store{}
	for n := range 1001 {
		add(t, s, n, "frontend", "GET /", 1, 0, n, 1)
	}
	for range 600 {
		add(t, s, 1000, "frontend", "more", 2, 1, 0, 1)
	}
	recent := s.Recent()
	if len(recent) != 1000 || recent[0].ID != traceID(1000) || recent[999].ID != traceID(1) {
		t.Errorf("%d traces from %s to %s", len(recent), recent[0].ID, recent[len(recent)-1].ID)
	}
	if got := len(recent[0].Spans); got != 500 {
		t.Errorf("%d spans of one trace, want 500", got)
	}
	if _, ok := s.Find(traceID(0)); ok {
		t.Error("the oldest is still there")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := &traces.Store{}
	add(t, s, 1, "frontend", "GET /static", 1, 0, 0, 1)
	add(t, s, 2, "frontend", "GET /<x>", 1, 0, 0, 10)
	add(t, s, 2, "product", "bad query", 2, 1, 5, 5)
	for _, row := range []struct {
		path   string
		status int
		want   []string
		not    []string
	}{
		{"/", 200, []string{"GET /&lt;x&gt;", "10.00 ms", `class="failed"`, traceID(2).String()}, []string{"GET /static"}},
		{"/?all", 200, []string{"GET /static", "GET /&lt;x&gt;"}, nil},
		{"/?service=product&route=bad+query", 200, []string{"Those with product bad query", "GET /&lt;x&gt;"},
			[]string{"GET /static"}},
		{"/?service=frontend&route=GET+/static", 200, []string{traceID(1).String()}, []string{traceID(2).String()}},
		{"/?status=failed", 200, []string{traceID(2).String(), `value="failed" selected`}, []string{traceID(1).String()}},
		{"/?min=0.5", 200, []string{traceID(1).String(), traceID(2).String()}, nil},
		{"/?min=1.5", 200, []string{traceID(2).String(), `value="1.5"`}, []string{traceID(1).String()}},
		{"/?status=failed&min=10.5", 200, []string{"No stored trace fits the filter."}, []string{"<tbody>"}},
		{"/?min=x&status=odd", 200, []string{traceID(2).String()}, []string{traceID(1).String()}},
		{"/trace/" + traceID(2).String(), 200, []string{
			"bad query", `x="50.00%" width="50.00%"`, `class="d1 product failed"><details open>`, "SELECT &#39;&lt;b&gt;&#39;",
			`<dt>together with</dt><dd><a href="/trace/` + traceID(3).String() + `">`,
		}, []string{"style="}},
		{"/trace/" + traceID(3).String(), 404, []string{"This trace is not here"}, nil},
		{"/trace/x", 404, []string{"This trace is not here"}, nil},
		{"/page.css", 200, []string{"color-scheme"}, nil},
		{"/page.js", 200, []string{"fetch"}, nil},
		{"/other", 404, nil, nil},
	} {
		res := httptest.NewRecorder()
		traces.Handler(s, &traces.Metrics{}, nil).ServeHTTP(res, httptest.NewRequest("GET", row.path, nil))
		if res.Code != row.status {
			t.Errorf("%s: %d, want %d", row.path, res.Code, row.status)
		}
		for _, want := range row.want {
			if !strings.Contains(res.Body.String(), want) {
				t.Errorf("%s lacks %q", row.path, want)
			}
		}
		for _, not := range row.not {
			if strings.Contains(res.Body.String(), not) {
				t.Errorf("%s has %q", row.path, not)
			}
		}
	}
}

// TestListHasPages walks from the newest trace to the oldest and back, while others arrive.
func TestListHasPages(t *testing.T) {
	t.Parallel()
	s := &traces.Store{}
	for n := 1; n <= 120; n++ {
		add(t, s, n, "frontend", fmt.Sprintf("bad %d", n), 1, 0, n, 1)
		add(t, s, 1000+n, "frontend", fmt.Sprintf("good %d", n), 1, 0, n, 1)
	}
	get := func(path string) (names []string, links map[string]string) {
		res := httptest.NewRecorder()
		traces.Handler(s, &traces.Metrics{}, nil).ServeHTTP(res, httptest.NewRequest("GET", path, nil))
		for _, m := range regexp.MustCompile(`<td><a href="[^"]*">([^<]*)`).FindAllStringSubmatch(res.Body.String(), -1) {
			names = append(names, m[1])
		}
		links = map[string]string{}
		for _, m := range regexp.MustCompile(`<a href="([^"]*)" rel="([^"]*)"`).FindAllStringSubmatch(res.Body.String(), -1) {
			links[m[2]] = html.UnescapeString(m[1])
		}
		return names, links
	}
	path, rel := "/?status=failed", "next"
	for i, want := range []struct{ size, first, last int }{
		{50, 120, 71}, {50, 70, 21}, {20, 20, 1}, {50, 70, 21}, {50, 120, 71},
	} {
		names, links := get(path)
		if len(names) != want.size || names[0] != fmt.Sprintf("bad %d", want.first) ||
			names[len(names)-1] != fmt.Sprintf("bad %d", want.last) {
			t.Fatalf("%s: %d from %v, want %+v", path, len(names), names, want)
		}
		if _, older := links["next"]; older != (want.last > 1) {
			t.Errorf("%s: a link to older ones: %v", path, older)
		}
		if i == 2 {
			rel = "prev"
			add(t, s, 500, "frontend", "good too", 1, 0, 500, 1)
		}
		path = links[rel]
	}
	if path != "" {
		t.Errorf("the newest page has newer ones at %s", path)
	}
	if names, _ := get("/?status=failed&before=" + traceID(9999).String()); len(names) != 50 || names[0] != "bad 120" {
		t.Errorf("after a trace that is gone: %v", names)
	}
}

// TestFailedTraceShowsWhatFailedFirst: the failure that the others follow from is linked at the top.
func TestFailedTraceShowsWhatFailedFirst(t *testing.T) {
	t.Parallel()
	s := &traces.Store{}
	add(t, s, 1, "frontend", "bad page", 1, 0, 0, 10)
	add(t, s, 1, "product", "bad handler", 2, 1, 1, 8)
	add(t, s, 1, "product", "bad query", 3, 2, 5, 2)
	add(t, s, 1, "product", "good query", 4, 2, 3, 1)
	add(t, s, 2, "frontend", "GET /", 1, 0, 0, 10)
	res := httptest.NewRecorder()
	pages := traces.Handler(s, &traces.Metrics{}, nil)
	pages.ServeHTTP(res, httptest.NewRequest("GET", "/trace/"+traceID(1).String(), nil))
	for _, want := range []string{
		`Failed first: <a href="#step-4"><b>product</b> bad query</a> – why bad query`,
		`<li id="step-4" class="d2 product failed"><details open>`, `<li id="step-2" class="d1 product failed"><details>`,
	} {
		if !strings.Contains(res.Body.String(), want) {
			t.Errorf("the page lacks %s:\n%s", want, res.Body)
		}
	}
	res = httptest.NewRecorder()
	pages = traces.Handler(s, &traces.Metrics{}, nil)
	pages.ServeHTTP(res, httptest.NewRequest("GET", "/trace/"+traceID(2).String(), nil))
	if strings.Contains(res.Body.String(), "Failed first") {
		t.Error("a trace without a failure has a first one")
	}
}
