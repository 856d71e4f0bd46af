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
)

// exchange is one request as the Router follows it: the response on its way and
// what the log line learns.
type exchange struct {
	http.ResponseWriter
	status int   // 0 until the header is written
	size   int64 // of the body so far, in bytes

	mu  sync.Mutex // guards err
	err error
}

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= 200 { // what comes before is only information
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(p []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	n, err := x.ResponseWriter.Write(p)
	x.size += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// Status is the response's, which is 200 where a handler wrote nothing.
func (x *exchange) Status() int {
	if x.status == 0 {
		return http.StatusOK
	}
	return x.status
}

type exchangeKey struct{}

// NoteFailure hands err to the request's log line, the only place that logs it.
// Errors that a handler returns get there by themselves; this is for one that
// answers a failure itself, or shows a page without the part that failed. It is
// safe for concurrent use and does nothing outside a Router's requests.
func NoteFailure(ctx context.Context, err error) {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.err = errors.Join(x.err, err)
	}
}

func (x *exchange) failure() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.err
}

// ServeHTTP makes the router an http.Handler: it makes the request's span, which it names
// by its route, sets the headers that every response has, turns a panic into an
// error and writes the request's log line.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	start := time.Now()
	ctx, span := r.tracing.start(req)
	defer span.End()
	route := r.routes.Get().(*chi.Context)
	defer r.routes.Put(route)
	route.Reset()
	route.Routes = r.mux
	own := newRequestContext(ctx, w, route, start.Add(RequestTimeout))
	defer own.end()
	x, req := &own.exchange, req.WithContext(own)
	h, values := w.Header(), [...]string{telemetry.TraceID(ctx), "nosniff"}
	h["Trace-Id"], h["X-Content-Type-Options"] = values[:1:1], values[1:]
	defer func() {
		if p := recover(); p != nil {
			err := panicked(p)
			NoteFailure(own, err)
			if x.status == 0 {
				r.fail(x, req, err)
			}
		}
		r.tracing.finish(ctx, span, req, x, route.RoutePattern(), start)
		r.logRequest(req, x, start)
	}()
	r.mux.ServeHTTP(x, req)
}

// panicked is an error with the stack. http.ErrAbortHandler, a handler's own
// way to cut the connection, goes on up.
func panicked(p any) error {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	return fmt.Errorf("panic: %v\n%s", p, debug.Stack())
}

func (r *Router) logRequest(req *http.Request, x *exchange, start time.Time) {
	level := slog.LevelInfo
	if x.Status() >= 500 {
		level = slog.LevelError
	}
	if !r.log.Enabled(req.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", req.Method), slog.String("path", req.URL.Path),
		slog.Int("status", x.Status()), slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000),
	}
	if err := x.failure(); err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	r.log.LogAttrs(req.Context(), level, "request", attrs...)
}
