package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"craftista/stack/internal/stacktest"
	"craftista/stack/internal/traces"

	"go.opentelemetry.io/otel/attribute"
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
	var path, paths, roots []string
	for _, step := range got.Steps() {
		path = append(path[:step.Depth], label(step))
		if step.Depth == 0 {
			roots = append(roots, label(step))
		}
		names := slices.DeleteFunc(slices.Clone(path), func(name string) bool { return name == "" })
		paths = append(paths, strings.Join(names, " > "))
	}
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
func label(s traces.Step) string {
	attributes := attribute.NewSet(s.Attributes()...)
	for _, key := range []attribute.Key{"db.system.name", "db.system"} { // otelsql's and redisotel's
		if system, ok := attributes.Value(key); ok {
			return s.Service() + " " + system.AsString()
		}
	}
	if attributes.HasValue("http.route") {
		return s.Service() + " " + s.Name()
	}
	return ""
}
