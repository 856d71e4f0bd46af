package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"craftista/shared/telemetry"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

// exchange is what the log line of one request learns on the way.
type exchange struct {
	mu  sync.Mutex // guards err
	err error
}

type exchangeKey struct{}

// NoteFailure hands err to the request's log line, the only place that logs it.
// Errors that a handler returns get there by themselves; this is for one that
// answers a failure itself, or shows a page without the part that failed. It is
// safe for concurrent use and does nothing outside a Router's requests.
func NoteFailure(ctx context.Context, err error) {
	if e, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.err = errors.Join(e.err, err)
	}
}

func (e *exchange) failure() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// observe names the span by its route (otelhttp cannot, it runs before the
// routing), sets the headers that every response has, turns a panic into an
// error and writes the request's log line.
func observe(t *telemetry.Telemetry, fail ErrorWriter, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		e := &exchange{}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, e))
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		ww.Header().Set("Trace-Id", telemetry.TraceID(r.Context()))
		ww.Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if p := recover(); p != nil {
				err := panicked(p)
				NoteFailure(r.Context(), err)
				if ww.Status() == 0 {
					fail(ww, r, err)
				}
			}
			nameSpan(r)
			logRequest(t.Log, r, ww.Status(), time.Since(start), e.failure())
		}()
		next.ServeHTTP(ww, r)
	})
}

// panicked is an error with the stack. http.ErrAbortHandler, a handler's own
// way to cut the connection, goes on up.
func panicked(p any) error {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	return fmt.Errorf("panic: %v\n%s", p, debug.Stack())
}

func nameSpan(r *http.Request) {
	route := chi.RouteContext(r.Context()).RoutePattern()
	if route == "" {
		return
	}
	span := trace.SpanFromContext(r.Context())
	span.SetName(r.Method + " " + route)
	span.SetAttributes(semconv.HTTPRoute(route))
}

func logRequest(log *slog.Logger, r *http.Request, status int, took time.Duration, err error) {
	if status == 0 {
		status = http.StatusOK
	}
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", status), slog.Float64("duration_ms", float64(took.Microseconds())/1000),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	log.LogAttrs(r.Context(), level, "request", attrs...)
}
