package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"craftista/db/embedded"
	"craftista/product"
	"craftista/product/redistest"
	"craftista/shared/config"
	"craftista/shared/waittest"
	"craftista/stack/internal/local"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// serving is set for the process that serves.
const serving = "BENCH_SERVING"

// TestMain makes this binary both the load and, as a child of it, what is measured: so their CPU time is told apart.
func TestMain(m *testing.M) {
	if os.Getenv(serving) == "" {
		os.Exit(m.Run())
	}
	if err := serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// servers are where the child listens.
type servers struct {
	URLs map[string]string // of the stack, of "traced", a product service that records every request, and "bare"
	Key  string            // the internal API key
}

// start runs the child, a PostgreSQL that waits for the disk, as in real life, and a Redis.
func start(b *testing.B) (s servers) {
	b.Helper()
	base, err := embedded.DefaultDir() // on a disk, where /tmp may be memory
	if err != nil {
		b.Fatal(err)
	}
	dir := filepath.Join(base, "bench")
	database, err := embedded.Start(b.Context(), embedded.Config{Dir: dir})
	if err != nil && !errors.Is(err, embedded.ErrInUse) { // what an interrupted run left
		err = os.RemoveAll(dir)
		if err == nil {
			database, err = embedded.Start(b.Context(), embedded.Config{Dir: dir})
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(database.Stop(context.WithoutCancel(b.Context())), os.RemoveAll(dir)); err != nil {
			b.Error(err)
		}
	})
	child := exec.Command(os.Args[0])
	child.Stderr = os.Stderr
	child.Env = append(os.Environ(), serving+"=true",
		"FRONTEND_ADDR=localhost:0", "AUTH_ADDR=localhost:0", "PRODUCT_ADDR=localhost:0", "RECOMMENDATION_ADDR=localhost:0",
		"TRACES_ADDR=localhost:0", "STACK_DATA="+b.TempDir(), "DATABASE_URL="+database.URL(),
		"REDIS_URL="+redistest.Start(b).URL(), "OTEL_TRACES_SAMPLER=always_off", "LOG_LEVEL=error", "BCRYPT_COST=4",
		// On a busy machine, too, everything is answered.
		"ACCESS_TOKEN_TTL=24h", "PAGE_TIMEOUT="+waittest.Timeout.String())
	end, err := child.StdinPipe()
	out, outErr := child.StdoutPipe()
	if err := errors.Join(err, outErr, child.Start()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(end.Close(), child.Wait()); err != nil {
			b.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err := errors.Join(err, json.Unmarshal(line, &s)); err != nil {
		b.Fatal(err)
	}
	return s
}

// serve is the child. It tells the servers on its standard output and ends when its standard input does.
func serve(ctx context.Context) (err error) {
	c, err := config.Load(local.Default(), os.Environ())
	if err != nil {
		return err
	}
	c.RequestTimeout = waittest.Timeout
	stack, err := local.Start(ctx, c, func(string) {})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	key, err := os.ReadFile(stack.KeyFile)
	if err != nil {
		return err
	}
	traced, err := serveTraced(ctx, c, stack.URLs["auth"])
	if err != nil {
		return err
	}
	bare, err := serveBare(ctx, c, stack.URLs["product"])
	if err != nil {
		return err
	}
	s := servers{URLs: stack.URLs, Key: string(key)}
	s.URLs["traced"], s.URLs["bare"] = traced, bare
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// serveTraced runs a product service until the process ends.
func serveTraced(ctx context.Context, c local.Config, issuer string) (url string, err error) {
	l, err := listen(ctx)
	if err != nil {
		return "", err
	}
	p := product.Default()
	p.Listener, p.DatabaseURL, p.RedisURL, p.Issuer = l, c.DatabaseURL, c.RedisURL, issuer
	p.LogLevel, p.Exporter = c.LogLevel, tracetest.NewNoopExporter()
	go func() { _ = product.Run(ctx, p) }()
	return "http://" + l.Addr().String(), nil
}
