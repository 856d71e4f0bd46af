package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"craftista/stack/internal/stacktest"
	"craftista/stack/internal/traces"

	"go.opentelemetry.io/otel/trace"
)

// TestOneRequestIsOneTrace follows a vote from the browser's request to the
// last query.
func TestOneRequestIsOneTrace(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	client := signUp(t, s.URLs["frontend"])
	page := do(t, client, get(t, s.URLs["frontend"]+"/origamis/1"))
	if page.Status != 200 {
		t.Fatalf("the product's page answers %d", page.Status)
	}
	vote := do(t, client, post(t, s.URLs["frontend"]+"/origamis/1/vote", url.Values{}))
	if vote.Status != http.StatusSeeOther {
		t.Fatalf("the vote answers %d: %s", vote.Status, vote.Body)
	}

	assertTree(t, s.Traces, page, []string{
		"frontend GET /origamis/{id}",
		"frontend GET /origamis/{id} > product GET /api/products/{id}",
		"frontend GET /origamis/{id} > product GET /api/products/{id} > product redis",
		"frontend GET /origamis/{id} > product GET /api/products/{id} > product postgresql",
		"frontend GET /origamis/{id} > product GET /api/votes/mine",
		"frontend GET /origamis/{id} > product GET /api/votes/mine > auth GET /.well-known/jwks.json",
		"frontend GET /origamis/{id} > product GET /api/votes/mine > product postgresql",
	})
	assertTree(t, s.Traces, vote, []string{
		"frontend POST /origamis/{id}/vote",
		"frontend POST /origamis/{id}/vote > product POST /api/origamis/{id}/vote",
		"frontend POST /origamis/{id}/vote > product POST /api/origamis/{id}/vote > product redis",
		"frontend POST /origamis/{id}/vote > product POST /api/origamis/{id}/vote > product postgresql",
	})
	home := do(t, client, get(t, s.URLs["frontend"]+"/"))
	assertTree(t, s.Traces, home, []string{
		"frontend GET /",
		"frontend GET / > product GET /api/products",
		"frontend GET / > recommendation GET /api/origami-of-the-day > recommendation postgresql",
		"frontend GET / > recommendation GET /api/recommendations > recommendation postgresql",
	})
}

// assertTree checks that the response's trace has one root and holds each of
// the wanted paths, which name spans from the root and skip client spans.
func assertTree(t *testing.T, store *traces.Store, r reply, want []string) {
	t.Helper()
	id, err := trace.TraceIDFromHex(r.Header.Get("Trace-Id"))
	if err != nil {
		t.Fatalf("Trace-Id %q: %v", r.Header.Get("Trace-Id"), err)
	}
	got, ok := store.Find(id)
	if !ok {
		t.Fatalf("no trace %s", id)
	}
	spans := map[trace.SpanID]traces.Span{}
	for _, s := range got.Spans {
		spans[s.ID] = s
	}
	var paths, roots []string
	for _, s := range got.Spans {
		if _, ok := spans[s.Parent]; !ok {
			roots = append(roots, label(s))
		}
		var names []string
		for at, ok := s, true; ok; at, ok = spans[at.Parent] {
			if name := label(at); name != "" {
				names = append([]string{name}, names...)
			}
		}
		paths = append(paths, strings.Join(names, " > "))
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	if len(roots) != 1 {
		t.Errorf("roots %q, want one", roots)
	}
	for _, w := range want {
		if !slices.Contains(paths, w) {
			t.Errorf("no %q among\n%s", w, strings.Join(paths, "\n"))
		}
	}
}

// label is a span's service and what it does; "" for one that only leads to
// another service.
func label(s traces.Span) string {
	attribute := func(keys ...string) string {
		for _, a := range s.Attributes {
			if slices.Contains(keys, a[0]) {
				return a[1]
			}
		}
		return ""
	}
	switch system := attribute("db.system.name", "db.system"); {
	case system != "":
		return s.Service + " " + system
	case attribute("http.route") != "":
		return s.Service + " " + s.Name
	default:
		return ""
	}
}
