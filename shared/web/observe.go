package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"craftista/shared/fault"
	"craftista/shared/telemetry"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

// instruments are the options of both sides of HTTP.
func instruments(t *telemetry.Telemetry) []otelhttp.Option {
	return []otelhttp.Option{
		otelhttp.WithTracerProvider(t.Traces), otelhttp.WithMeterProvider(t.Metrics), otelhttp.WithPropagators(t.Propagator),
	}
}

// notes are what the log line of one request needs.
type notes struct {
	mu      sync.Mutex // guards err and routine
	err     error
	routine bool

	answered func(status int) // called in the end; may be nil
}

func (n *notes) read() (routine bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.routine, n.err
}

type notesKey struct{}

// RecordError hands err to the request's log line, the only place that logs it. Errors that a handler returns get
// there by themselves; this is for one that answers a failure itself, or shows a page without the part that failed.
// It is safe for concurrent use and does nothing outside a Router's requests.
func RecordError(ctx context.Context, err error) {
	if n, ok := ctx.Value(notesKey{}).(*notes); ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.err = errors.Join(n.err, err)
	}
}

// LogAtDebug makes the request's log line one for debugging, whatever the status. It is for health checks, which come
// every few seconds.
func LogAtDebug(ctx context.Context) {
	if n, ok := ctx.Value(notesKey{}).(*notes); ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.routine = true
	}
}

// observe sets the headers that every response has, turns a panic into an error, names the request's span by its
// route, marks its metrics if it failed and writes its log line. It runs inside otelhttp's middleware, which makes the
// span.
func (r *Router) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		start, ctx, noted := time.Now(), req.Context(), &notes{}
		// otelhttp believes anybody's X-Forwarded-For.
		trace.SpanFromContext(ctx).SetAttributes(semconv.ClientAddress(ClientAddress(req)))
		w.Header().Set("Trace-Id", telemetry.TraceID(ctx))
		w.Header().Set("X-Content-Type-Options", "nosniff")
		res := middleware.NewWrapResponseWriter(w, req.ProtoMajor)
		inner := req.WithContext(context.WithValue(ctx, notesKey{}, noted))
		defer func() {
			if p := recover(); p != nil {
				err := panicked(p)
				RecordError(inner.Context(), err)
				if res.Status() == 0 {
					r.fail(res, inner, err)
				}
			}
			setRoute(req)
			status := cmp.Or(res.Status(), http.StatusOK)
			routine, failure := noted.read()
			if !routine { // a health check that finds what it found before has not failed
				labelFailure(ctx, status, failure)
			}
			if noted.answered != nil {
				noted.answered(status)
			}
			r.logRequest(req, status, routine, failure, start)
		}()
		next.ServeHTTP(res, inner)
	})
}

// labelFailure gives the metrics of a request that failed the attribute error.type: its status, or incomplete if it was
// answered without a part that is unavailable.
func labelFailure(ctx context.Context, status int, failure error) {
	labels, _ := otelhttp.LabelerFromContext(ctx)
	switch {
	case hungUp(ctx): // the client did, before it could be answered well
	case status >= http.StatusInternalServerError:
		labels.Add(semconv.ErrorTypeKey.String(strconv.Itoa(status)))
	case failure != nil && FaultOf(failure).Kind == fault.Unavailable:
		labels.Add(semconv.ErrorTypeKey.String("incomplete"))
	}
}

// setRoute tells otelhttp the route that chi has found. otelhttp takes the span's name and an attribute of its
// metrics from the request's pattern when the request ends; the span's own attribute it sets only at the start.
func setRoute(req *http.Request) {
	req.Pattern = chi.RouteContext(req.Context()).RoutePattern()
	if req.Pattern != "" {
		trace.SpanFromContext(req.Context()).SetAttributes(semconv.HTTPRoute(req.Pattern))
	}
}

// panicked is an error with the stack. It panics again with http.ErrAbortHandler, by which a handler asks the server to
// close the connection.
func panicked(p any) error {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	return fmt.Errorf("panic: %v\n%s", p, debug.Stack())
}

// StatusClientClosedRequest is nginx's status of a request whose client disconnected before it was answered. Nobody
// gets it: it is for logs and metrics.
const StatusClientClosedRequest = 499

// hungUp reports whether the client of the request that ctx belongs to has gone. ctx is the server's own: one with a
// deadline would say the same of a handler that was too slow.
func hungUp(ctx context.Context) bool { return ctx.Err() != nil }

// logRequest logs failures of ours as errors. A 503 of a handler's own is none if the server drains, since it is
// what a probe then gets, or if the client has hung up; a 500 is a panic then, see adapt.
func (r *Router) logRequest(req *http.Request, status int, routine bool, failure error, start time.Time) {
	level := slog.LevelInfo
	switch {
	case routine:
		level = slog.LevelDebug
	case status == http.StatusInternalServerError || status > 500 && !hungUp(req.Context()) && !Draining(req.Context()):
		level = slog.LevelError
	}
	if !r.log.Enabled(req.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", req.Method), slog.String("path", req.URL.Path),
		slog.Int("status", status), slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000),
	}
	if failure != nil {
		attrs = append(attrs, slog.String("error", failure.Error()))
	}
	r.log.LogAttrs(req.Context(), level, "request", attrs...)
}
