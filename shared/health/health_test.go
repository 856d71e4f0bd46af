package health_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"craftista/shared/build"
	"craftista/shared/fault"
	"craftista/shared/health"
	"craftista/shared/telemetry"
	"craftista/shared/web"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func router(checks map[string]health.Check) *web.Router {
	made := build.Info{Version: "v1", Commit: "1a2b3c4d"}
	return routes(health.Service{Name: "shop", Description: "Sells.", Build: made, Checks: checks})
}

func routes(s health.Service) *web.Router {
	r := web.NewRouter(telemetry.Discard(), web.Problem)
	s.Routes(r)
	s.RootRoutes(r)
	return r
}

func get(t *testing.T, r *web.Router, path string) (int, map[string]any) {
	t.Helper()
	res := httptest.NewRecorder()
	r.ServeHTTP(res, httptest.NewRequest("GET", path, nil))
	var body map[string]any
	if err := json.Unmarshal(res.Body.Bytes(), &body); err != nil {
		t.Fatalf("%s: %q: %v", path, res.Body, err)
	}
	return res.Code, body
}

func TestReadinessChecksDependenciesAndLivenessNone(t *testing.T) {
	t.Parallel()
	r := router(map[string]health.Check{
		"cache":    func(context.Context) error { return nil },
		"database": func(context.Context) error { return errors.New("secret") },
		"slow":     func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	})
	synctest.Test(t, func(t *testing.T) {
		status, body := get(t, r, "/readyz")
		want := map[string]any{
			"status": "unready", "checks": map[string]any{"cache": "ok", "database": "down", "slow": "down"},
			"took_ms": map[string]any{"cache": 0.0, "database": 0.0, "slow": 2000.0},
		}
		if diff := cmp.Diff(want, body); status != 503 || diff != "" {
			t.Errorf("readyz %d (-want +got):\n%s", status, diff)
		}
	})
	if status, body := get(t, r, "/livez"); status != 200 || body["status"] != "alive" {
		t.Errorf("livez %d %v", status, body)
	}
	if status, body := get(t, router(nil), "/readyz"); status != 200 || body["status"] != "ready" {
		t.Errorf("readyz without checks: %d %v", status, body)
	}
}

// TestProbesAreQuiet: no span, none of what a check does either, and a line only when what fails changes.
func TestProbesAreQuiet(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	spans := tracetest.NewInMemoryExporter()
	tel, err := telemetry.New(t.Context(), "shop", "", telemetry.Options{
		Exporter: spans, Log: slog.NewJSONHandler(&log, nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	var state error
	r := web.NewRouter(tel, web.Problem)
	health.Service{Checks: map[string]health.Check{"database": func(ctx context.Context) error {
		_, span := tel.Traces.Tracer("test").Start(ctx, "ping")
		span.End()
		return state
	}}}.Routes(r)
	for _, step := range []struct {
		state error
		want  string // the level of the line
	}{
		{nil, ""},
		{nil, ""},
		{errors.New("no database"), `"level":"ERROR"`},
		{errors.New("still none"), ""},
		{nil, `"level":"INFO"`},
		{nil, ""},
	} {
		log.Reset()
		state = step.state
		get(t, r, "/livez")
		get(t, r, "/readyz")
		lines, want := strings.Count(log.String(), "\n"), min(1, len(step.want))
		if lines != want || !strings.Contains(log.String(), step.want) || strings.Contains(log.String(), "livez") {
			t.Errorf("after %v the log has %s", state, log.String())
		}
	}
	get(t, r, "/health")
	if got := spans.GetSpans(); len(got) != 1 || got[0].Name != "GET /health" {
		t.Errorf("spans %v, want the one of /health", got)
	}
}

// TestOptionalChecksAreReportedOnly: a service whose cache fails says so and stays ready.
func TestOptionalChecksAreReportedOnly(t *testing.T) {
	t.Parallel()
	fails := func(context.Context) error {
		return fault.New(fault.Unavailable, "it is empty").Because(errors.New("secret"))
	}
	works := func(context.Context) error { return nil }
	for _, row := range []struct {
		database, cache           health.Check
		code                      int
		status, wantDB, wantCache string
	}{
		{works, fails, 200, "ready", "ok", "degraded"},
		{fails, fails, 503, "unready", "down", "degraded"},
		{works, works, 200, "ready", "ok", "ok"},
	} {
		code, body := get(t, routes(health.Service{
			Checks: map[string]health.Check{"database": row.database}, Optional: map[string]health.Check{"cache": row.cache},
		}), "/readyz")
		delete(body, "took_ms")
		checks, reasons := map[string]any{"database": row.wantDB, "cache": row.wantCache}, map[string]any{}
		for name, state := range checks {
			if state != "ok" {
				reasons[name] = "it is empty"
			}
		}
		want := map[string]any{"status": row.status, "checks": checks}
		if len(reasons) > 0 {
			want["reasons"] = reasons
		}
		if diff := cmp.Diff(want, body); code != row.code || diff != "" {
			t.Errorf("readyz %d, want %d (-want +got):\n%s", code, row.code, diff)
		}
	}
}

func TestServiceDescribesItself(t *testing.T) {
	t.Parallel()
	r := router(nil)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/health", "/status"} {
		began := time.Now().Truncate(time.Second)
		status, body := get(t, r, path)
		stamp, err := time.Parse(time.RFC3339, body["timestamp"].(string))
		if status != 200 || body["status"] != "ok" || body["version"] != "v1" || body["commit"] != "1a2b3c4d" {
			t.Errorf("%s: %d %v", path, status, body)
		}
		if err != nil || stamp.Before(began) || stamp.After(time.Now()) || stamp.Location() != time.UTC {
			t.Errorf("%s: timestamp %v, %v", path, stamp, err)
		}
	}
	_, system := get(t, r, "/api/system-info")
	if system["hostname"] != host {
		t.Errorf("hostname %v, want %q", system["hostname"], host)
	}
	for _, key := range []string{"ip_address", "is_container", "is_kubernetes"} {
		if _, ok := system[key]; !ok {
			t.Errorf("system-info lacks %s", key)
		}
	}
	_, home := get(t, r, "/")
	if home["service"] != "shop" || home["description"] != "Sells." || home["version"] != "v1" ||
		!cmp.Equal(home["host"], any(system)) {
		t.Errorf("home %v", home)
	}
}
