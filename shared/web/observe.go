package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"craftista/shared/telemetry"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

// exchange is what the log line of one request learns on the way.
type exchange struct{ err error }

type exchangeKey struct{}

// noteFailure hands err to the request's log line, the only place that logs it.
func noteFailure(ctx context.Context, err error) {
	if e, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		e.err = err
	}
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
				e.err = panicked(p)
				if ww.Status() == 0 {
					fail(ww, r, e.err)
				}
			}
			nameSpan(r)
			logRequest(t.Log, r, ww.Status(), time.Since(start), e.err)
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
