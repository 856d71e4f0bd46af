package bench

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/product"
	"craftista/product/redistest"

	"github.com/go-chi/chi/v5"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// BenchmarkProduct is a product by its id from the cache, against a chi handler
// that reads the same bytes from the same Redis: "plain" without tracing, "traced"
// with the spans of every request recorded, "sent" with them sent to a collector.
// All serve in this process and take turns and write no log lines; the collector
// uses the same processors.
func BenchmarkProduct(b *testing.B) {
	redisURL, databaseURL := redistest.Start(b).URL(), pgtest.NewSeeded(b).ProductURL
	run := func(change func(*product.Config)) string {
		c := product.Default()
		c.Listener, c.Log, c.LogLevel = listen(b), slog.DiscardHandler, slog.LevelError+1
		c.DatabaseURL, c.RedisURL = databaseURL, redisURL
		change(&c)
		serve(b, func(ctx context.Context) error { return product.Run(ctx, c) })
		return c.Listener.Addr().String()
	}
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // all that a benchmark does with it
	}))
	b.Cleanup(collector.Close)

	plain := run(func(c *product.Config) { c.Sampler = "always_off" })
	traced := run(func(c *product.Config) { c.Exporter = tracetest.NewNoopExporter() })
	sent := run(func(c *product.Config) { c.OTLPEndpoint = collector.URL })
	const path = "/api/products/1"
	compare(b, 100*time.Millisecond, []subject{
		{"bare", bareProduct(b, redisURL, fetch(b, "http://"+plain+path)), path, nil},
		{"plain", plain, path, nil},
		{"traced", traced, path, nil},
		{"sent", sent, path, nil},
	})
}

// bareProduct is the least that can send the product from Redis: chi, and a client
// with the pool settings of product's.
func bareProduct(b *testing.B, redisURL string, body []byte) string {
	b.Helper()
	o, err := redis.ParseURL(redisURL)
	if err != nil {
		b.Fatal(err)
	}
	const timeout = 200 * time.Millisecond
	o.ContextTimeoutEnabled = true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = timeout, timeout, timeout, timeout
	o.MaxRetries, o.PoolSize, o.DisableIdentity = -1, 64, true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	client := redis.NewClient(o)
	b.Cleanup(func() { _ = client.Close() })
	if err := client.Set(b.Context(), "bare:1", body, 0).Err(); err != nil {
		b.Fatal(err)
	}
	mux := chi.NewRouter()
	mux.Get("/api/products/{id}", func(w http.ResponseWriter, r *http.Request) {
		body, err := client.Get(r.Context(), "bare:"+chi.URLParam(r, "id")).Bytes()
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	s := httptest.NewServer(mux)
	b.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func listen(b *testing.B) net.Listener {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// serve runs a service until the benchmark ends.
func serve(b *testing.B, run func(context.Context) error) {
	b.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(b.Context()))
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
}
