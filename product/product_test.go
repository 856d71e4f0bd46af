package product_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/product"
	"craftista/product/redistest"
	"craftista/shared/config"
	"craftista/shared/service"
	"craftista/shared/telemetry"
	"craftista/shared/token"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// spans are those that a service made, also past its end.
type spans struct{ *tracetest.InMemoryExporter }

func (spans) Shutdown(context.Context) error { return nil }

// run runs the service and returns its URL and what stops it, which gives Run's
// error.
func run(t *testing.T, c product.Config) (url string, stop func() error) {
	t.Helper()
	if c.Listener == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c.Listener = l
	}
	if c.Log == nil {
		c.Log = slog.DiscardHandler
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- product.Run(ctx, c) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { _ = stop() })
	return "http://" + c.Listener.Addr().String(), stop
}

// request never ends the test, so that any goroutine may call it.
func request(t *testing.T, method, url, bearer string) (status int, header http.Header, body string) {
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Error(err)
		return 0, nil, ""
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return 0, nil, ""
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return res.StatusCode, res.Header, string(text)
}

// TestRunTraces runs the whole service and reads one vote and one miss back as
// trees of spans.
func TestRunTraces(t *testing.T) {
	t.Parallel()
	site, made := newSite(t, 1), spans{tracetest.NewInMemoryExporter()}
	site.config.Exporter = made
	url, stop := run(t, site.config)

	status, voted, body := request(t, "POST", url+"/api/origamis/1/vote", site.issuer.Mint(1, token.RoleUser))
	if status != 200 {
		t.Fatalf("vote: %d %s", status, body)
	}
	status, shown, body := request(t, "GET", url+"/api/products/1", "")
	if status != 200 || shown.Get("X-Cache") != "miss" {
		t.Fatalf("show: %d %v %s", status, shown, body)
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	for id, want := range map[string][]string{
		voted.Get("Trace-Id"): {
			"POST /api/origamis/{id}/vote", "HTTP GET", "HTTP GET", // the keys, the revoked sign-ins
			"sql.conn.begin_tx", "sql.conn.exec", "sql.conn.query", "sql.tx.commit", "del", // all in
			"commit vote",
		},
		shown.Get("Trace-Id"): {
			"GET /api/products/{id}", "get", "evalsha", "eval", // a lease; eval, for Redis has not seen the script yet
			"get", "sql.conn.query", "evalsha", "eval", // one last look, the load, the fill
		},
	} {
		if diff := cmp.Diff(made.tree(id), want); diff != "" {
			t.Errorf("trace %s (-got +want):\n%s", id, diff)
		}
	}
}

// tree is the name of the trace's root and those of its children, and of the
// commit's, as they ended.
func (s spans) tree(traceID string) (names []string) {
	parents := map[trace.SpanID]bool{}
	all := slices.DeleteFunc(s.GetSpans(), func(span tracetest.SpanStub) bool {
		return span.SpanContext.TraceID().String() != traceID
	})
	for _, span := range all {
		if !span.Parent.IsValid() {
			names = append(names, span.Name)
		}
		parents[span.SpanContext.SpanID()] = !span.Parent.IsValid() || span.Name == "commit vote"
	}
	for _, span := range all {
		if parents[span.Parent.SpanID()] {
			names = append(names, span.Name)
		}
	}
	return names
}

// TestRunStartsAlone: nothing the service needs is there, and yet it runs, says
// what is wrong, and stops cleanly.
func TestRunStartsAlone(t *testing.T) {
	t.Parallel()
	c := product.Default()
	c.DatabaseURL = "postgres://nobody:secret@" + redistest.FreeAddr(t) + "/none"
	c.RedisURL = "rediss://" + redistest.FreeAddr(t)
	url, stop := run(t, c)
	for path, want := range map[string]int{
		"/livez": 200, "/readyz": 503, "/health": 200, "/api/products": 503, "/api/products/1": 503,
	} {
		if status, _, body := request(t, "GET", url+path, ""); status != want {
			t.Errorf("%s: %d, want %d, %s", path, status, want, body)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestRunWithoutCache(t *testing.T) {
	t.Parallel()
	site := newSite(t, 1)
	site.config.RedisURL = ""
	url, _ := run(t, site.config)
	status, header, body := request(t, "GET", url+"/api/products/1", "")
	if status != 200 || header.Get("X-Cache") != "bypass" || !json.Valid([]byte(body)) {
		t.Errorf("%d %v %s", status, header, body)
	}
}

func TestRunRefusesBadSettings(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	redis := func(url string) func(*product.Config) { return func(c *product.Config) { c.RedisURL = url } }
	for _, row := range []struct {
		want   string
		change func(*product.Config)
	}{
		{"read database URL", func(c *product.Config) { c.DatabaseURL = "postgres://a:hunter2@h:port/x" }},
		{"read Redis URL", redis("http://:hunter2@localhost")},
		{"read Redis URL", redis("redis://:hunter2@localhost:port")},
		{"read Redis URL", redis("redis://:hunter2@localhost/zero")},
		{"read Redis URL", redis("%hunter2")},
		{"listen on " + taken.Addr().String(), func(c *product.Config) { c.Addr = taken.Addr().String() }},
	} {
		c := product.Default()
		c.DatabaseURL, c.Log = "postgres://a:b@localhost/x", slog.DiscardHandler
		row.change(&c)
		err := product.Run(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error %v, want %q", err, row.want)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	got, err := config.Load(product.Default(), []string{"DATABASE_URL=postgres://db/x"})
	want := product.Config{
		Config:      service.Config{Addr: ":8000"},
		DatabaseURL: "postgres://db/x", RedisTimeout: 200 * time.Millisecond,
		JWKSURL: "http://localhost:8082/.well-known/jwks.json", Issuer: "http://localhost:8082", Audience: "craftista",
	}
	if diff := cmp.Diff(got, want); diff != "" || err != nil {
		t.Errorf("defaults, %v (-got +want):\n%s", err, diff)
	}
	all := []string{
		"ADDR=:1", "DATABASE_URL=3", "REDIS_URL=4", "REDIS_TIMEOUT=1s", "JWKS_URL=5", "ISSUER=6",
		"AUDIENCE=7", "OTEL_EXPORTER_OTLP_ENDPOINT=8",
	}
	got, err = config.Load(product.Default(), all)
	sent := telemetry.Options{Endpoints: telemetry.Endpoints{OTLPEndpoint: "8"}}
	want = product.Config{
		Config:      service.Config{Addr: ":1", Options: sent},
		DatabaseURL: "3", RedisURL: "4", RedisTimeout: time.Second, JWKSURL: "5", Issuer: "6", Audience: "7",
	}
	if diff := cmp.Diff(got, want); diff != "" || err != nil {
		t.Errorf("all set, %v (-got +want):\n%s", err, diff)
	}
	if _, err := config.Load(product.Default(), nil); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Errorf("without a database: %v", err)
	}
}
