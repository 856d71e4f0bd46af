package backend_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"craftista/frontend/internal/backend"
	"craftista/shared/fault"
	"craftista/shared/telemetry"
)

// TestAskedOnceMore holds what is asked again, and that nothing is asked a third
// time. The service answers well from the second call on, unless it cuts that too.
func TestAskedOnceMore(t *testing.T) {
	t.Parallel()
	status := func(code int, retryAfter string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			w.WriteHeader(code)
		}
	}
	read := func(ctx context.Context, c backend.Catalogue) error {
		_, err := c.Product(ctx, 1)
		return err
	}
	vote := func(ctx context.Context, c backend.Catalogue) error {
		_, err := c.Vote(ctx, "token", 1, true)
		return err
	}
	add := func(ctx context.Context, c backend.Catalogue) error {
		_, err := c.Add(ctx, "token", "a-key", backend.Draft{Name: "Crane"})
		return err
	}
	cut := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for name, c := range map[string]struct {
		first http.HandlerFunc
		again http.HandlerFunc // nil answers well
		ask   func(context.Context, backend.Catalogue) error
		calls int32
		kind  fault.Kind // of the error; meaningless without one
	}{
		"a cut connection":         {first: cut, ask: read, calls: 2},
		"two cut connections":      {first: cut, again: cut, ask: read, calls: 2, kind: fault.Unavailable},
		"no gateway":               {first: status(502, ""), ask: read, calls: 2},
		"nobody there":             {first: status(503, ""), ask: read, calls: 2},
		"a gateway's patience":     {first: status(504, ""), ask: read, calls: 2},
		"a time to come back":      {first: status(503, "2"), ask: read, calls: 1, kind: fault.Unavailable},
		"a mistake of its own":     {first: status(500, ""), ask: read, calls: 1, kind: fault.Unavailable},
		"no such piece":            {first: status(404, ""), ask: read, calls: 1, kind: fault.NotFound},
		"too often":                {first: status(429, ""), ask: read, calls: 1, kind: fault.Throttled},
		"a vote cut":               {first: cut, ask: vote, calls: 1, kind: fault.Unavailable},
		"a piece cut":              {first: cut, ask: add, calls: 2},
		"a piece, nobody there":    {first: status(503, ""), ask: add, calls: 2},
		"a piece, come back":       {first: status(503, "1"), ask: add, calls: 1, kind: fault.Unavailable},
		"a piece that is refused":  {first: status(422, ""), ask: add, calls: 1, kind: fault.Invalid},
		"a vote with nobody there": {first: status(503, ""), ask: vote, calls: 1, kind: fault.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			var first string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				asked := r.Method + r.Header.Get("Idempotency-Key") + string(body)
				if calls.Add(1) == 1 {
					first = asked
					c.first(w, r)
					return
				}
				if asked != first {
					t.Errorf("asked %q, then %q", first, asked)
				}
				if c.again != nil {
					c.again(w, r)
				}
				_, _ = w.Write([]byte(`{"name": "Crane"}`))
			}))
			defer server.Close()
			catalogue := backend.New(backend.URLs{Product: server.URL}, "", backend.PageTimeout, telemetry.Discard()).Catalogue
			err := c.ask(t.Context(), catalogue)
			fails := c.calls == 1 || c.again != nil
			if calls.Load() != c.calls || (err != nil) != fails || fails && fault.KindOf(err) != c.kind {
				t.Errorf("%d calls and %v, want %d", calls.Load(), err, c.calls)
			}
		})
	}
}

// A reader of the log learns which service logs, and which one it got no answer from.
func TestAnOpenBreakerIsLogged(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	var log bytes.Buffer
	recording, err := telemetry.New(t.Context(), "frontend", "", telemetry.Options{Log: slog.NewJSONHandler(&log, nil)})
	if err != nil {
		t.Fatal(err)
	}
	catalogue := backend.New(backend.URLs{Product: server.URL}, "", backend.PageTimeout, recording).Catalogue
	for range 2 {
		if _, err := catalogue.Product(t.Context(), 1); err == nil {
			t.Fatal("a closed server answered")
		}
	}
	const want = `"msg":"service does not answer, circuit breaker is open","service":"frontend",` +
		`"backend":"the catalogue","operation":"GET /api/products/{}"`
	if got := log.String(); !strings.Contains(got, want) || strings.Count(got, "\n") != 1 {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
