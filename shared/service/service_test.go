package service_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"craftista/shared/config"
	"craftista/shared/service"
	"craftista/shared/telemetry"
	"craftista/shared/web"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

type settings struct {
	service.Config
	Color string `env:"COLOR,required"`
}

func TestMainExitCodes(t *testing.T) {
	t.Parallel()
	alive := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(alive.Close)
	sick := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(sick.Close)
	run := func(_ context.Context, s settings) error {
		if s.Addr != ":1" || s.Color != "red" {
			return errors.New("wrong settings " + s.Addr + s.Color)
		}
		return nil
	}
	for _, row := range []struct {
		name    string
		args    []string
		environ []string
		code    int
		stderr  string
	}{
		{"clean stop", nil, []string{"COLOR=red"}, 0, ""},
		{"missing setting", nil, nil, 1, "shop: invalid settings:\n  COLOR is not set\n"},
		{"run fails", nil, []string{"COLOR=red", "ADDR=:2"}, 1, "shop: wrong settings :2red\n"},
		{"unknown argument", []string{"-x"}, nil, 1, "shop: unknown argument \"-x\"; settings come from the environment\n"},
		{"probe of a live service", []string{"healthcheck", alive.URL}, nil, 0, ""},
		{"probe of a sick service", []string{"healthcheck", sick.URL}, nil, 1, "answered 404"},
		{"probe of nothing", []string{"healthcheck", "http://127.0.0.1:1/"}, nil, 1, "connection refused"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			process := service.Process{Args: row.args, Environ: row.environ, Stderr: &stderr}
			code := service.Main("shop", process, settings{Config: service.Config{Addr: ":1"}}, run)
			if code != row.code || !strings.Contains(stderr.String(), row.stderr) {
				t.Errorf("code %d, stderr %q; want %d, %q", code, stderr.String(), row.code, row.stderr)
			}
		})
	}
}

// TestServeClosesWhatWasOpened in the opposite order, whether the service stops or cannot start.
func TestServeClosesWhatWasOpened(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	stopped, stop := context.WithCancel(t.Context())
	stop()
	const closed = "cache\ndatabase" // what the closers say
	for _, row := range []struct {
		addr string
		err  error
		want string
	}{
		{"127.0.0.1:0", nil, closed},
		{"127.0.0.1:0", errors.New("no database"), "no database\n" + closed},
		{taken.Addr().String(), nil, "listen on " + taken.Addr().String()},
		{"8000", nil, "ADDR is not of the form host:port, such as localhost:8000 or :8000\n"},
		{"localhost:99999", nil, "ADDR is not of the form host:port, such as localhost:8000 or :8000\n"},
	} {
		metrics := metric.NewManualReader()
		c := service.Config{Addr: row.addr, Options: telemetry.Options{Reader: metrics, Log: slog.DiscardHandler}}
		err := c.Serve(stopped, "shop", func(t *telemetry.Telemetry, opened *service.Closers) (*web.Router, error) {
			opened.Add(func() error { return errors.New("database") })
			opened.Add(func() error { return errors.New("cache") })
			return web.NewRouter(t, web.Problem), row.err
		})
		if err == nil || !strings.HasPrefix(err.Error(), row.want) || !strings.HasSuffix(err.Error(), closed) {
			t.Errorf("%s: got %v, want %s", row.addr, err, row.want)
		}
		if err := metrics.Collect(t.Context(), &metricdata.ResourceMetrics{}); !errors.Is(err, metric.ErrReaderShutdown) {
			t.Errorf("%s: telemetry goes on: %v", row.addr, err)
		}
	}
}

// TestMemoryLimitIsTheContainers changes the process, so that it runs alone.
func TestMemoryLimitIsTheContainers(t *testing.T) {
	const before = 1 << 40
	t.Cleanup(func() { debug.SetMemoryLimit(math.MaxInt64) })
	limitInMain := func() (limit int64) {
		debug.SetMemoryLimit(before)
		service.Main("shop", service.Process{}, service.Config{}, func(context.Context, service.Config) error {
			limit = debug.SetMemoryLimit(-1)
			return nil
		})
		return limit
	}
	t.Setenv("GOMEMLIMIT", "1TiB")
	if got := limitInMain(); got != before {
		t.Errorf("with GOMEMLIMIT the limit is %d", got)
	}
	if err := os.Unsetenv("GOMEMLIMIT"); err != nil {
		t.Fatal(err)
	}
	want := int64(before) // where there are no cgroups
	switch container, err := memlimit.FromCgroup(); {
	case err == nil:
		want = int64(float64(container) * 0.9)
	case errors.Is(err, memlimit.ErrNoLimit):
		want = math.MaxInt64
	}
	if got := limitInMain(); got != want {
		t.Errorf("the limit is %d, want %d", got, want)
	}
}

func TestLogLevel(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]slog.Level{
		"": slog.LevelInfo, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
		"error": slog.LevelError,
	} {
		c, err := config.Load(service.Config{}, []string{"LOG_LEVEL=" + text})
		if err != nil {
			t.Fatal(err)
		}
		tel, err := telemetry.New(t.Context(), "shop", "", c.Options)
		if err != nil {
			t.Fatal(err)
		}
		if !tel.Log.Enabled(t.Context(), want) || tel.Log.Enabled(t.Context(), want-1) {
			t.Errorf("LOG_LEVEL=%s does not log from %v on", text, want)
		}
	}
}

func TestDrainIsASetting(t *testing.T) {
	t.Parallel()
	c, err := config.Load(service.Config{Addr: "127.0.0.1:0"}, []string{"DRAIN=50ms"})
	if err != nil {
		t.Fatal(err)
	}
	c.Log = slog.DiscardHandler
	stopped, stop := context.WithCancel(t.Context())
	stop()
	began := time.Now()
	err = c.Serve(stopped, "shop", func(t *telemetry.Telemetry, _ *service.Closers) (*web.Router, error) {
		return web.NewRouter(t, web.Problem), nil
	})
	if took := time.Since(began); err != nil || took < 50*time.Millisecond {
		t.Errorf("served for %v: %v", took, err)
	}
}
