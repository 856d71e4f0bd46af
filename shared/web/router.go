// Package web is the HTTP edge that every service shares: handlers that return
// errors, problem details, strict JSON in, tagged JSON out, a server that stops
// gracefully and a client that gives errors their meaning back.
package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"craftista/shared/fault"
	"craftista/shared/telemetry"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric"
)

// RequestTimeout bounds a Handler's work, so that every call it makes has a
// deadline.
const RequestTimeout = 10 * time.Second

// Handler answers a request or returns an error before it has written
// anything. FaultOf says how an error is answered.
type Handler func(w http.ResponseWriter, r *http.Request) error

// ErrorWriter answers a failed request: Problem for scripts, a page for people.
type ErrorWriter func(w http.ResponseWriter, r *http.Request, err error)

// Router routes requests to Handlers. Each request becomes a span and one log
// line, its response names its trace in Trace-Id, HEAD works wherever GET does,
// and a panic is answered like any other error. Register all routes before
// serving.
type Router struct {
	// Timeout bounds a Handler's work. It is RequestTimeout, and may be set before serving.
	Timeout time.Duration
	// GetTimeout bounds the Handlers that Get registers from then on; 0 means
	// Timeout. Set it before the calls of Get that it is for.
	GetTimeout time.Duration
	// MaxListeners bounds the listeners of each stream that Stream registers from then
	// on; 0 means 10,000. It is less if these would take half of the spare descriptors.
	MaxListeners int

	mux     chi.Router
	fail    ErrorWriter
	log     *slog.Logger
	streams map[string]*streamRoute   // by path
	open    metric.Int64UpDownCounter // streams
}

// NewRouter returns a router without routes. Errors, 404 and 405 among them, go
// to fail.
func NewRouter(t *telemetry.Telemetry, fail ErrorWriter) *Router {
	mux := chi.NewRouter()
	r := &Router{
		Timeout: RequestTimeout, mux: mux, fail: fail, log: t.Log, streams: map[string]*streamRoute{}, open: newListeners(t),
	}
	mux.Use(otelhttp.NewMiddleware("request", instruments(t)...), r.observe, middleware.GetHead)
	mux.NotFound(r.adapt(notFound))
	mux.MethodNotAllowed(r.adapt(r.methodNotAllowed))
	return r
}

// Get routes GET and HEAD.
func (r *Router) Get(pattern string, h Handler) {
	r.mux.Get(pattern, r.adapt(r.withTimeout(r.GetTimeout, h)))
}

// Post routes POST.
func (r *Router) Post(pattern string, h Handler) {
	r.mux.Post(pattern, r.adapt(r.withTimeout(0, h)))
}

// Put routes PUT.
func (r *Router) Put(pattern string, h Handler) {
	r.mux.Put(pattern, r.adapt(r.withTimeout(0, h)))
}

// Delete routes DELETE.
func (r *Router) Delete(pattern string, h Handler) {
	r.mux.Delete(pattern, r.adapt(r.withTimeout(0, h)))
}

// ServeHTTP implements http.Handler.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if s, ok := r.streams[req.URL.Path]; ok {
		r.serveStream(w, req, s)
		return
	}
	r.mux.ServeHTTP(w, req)
}

// Use runs plain middleware around every route and around 404 and 405; call it
// before the first route.
func (r *Router) Use(middlewares ...func(http.Handler) http.Handler) { r.mux.Use(middlewares...) }

// Walk calls visit for each route, in no order that matters.
func (r *Router) Walk(visit func(method, pattern string)) {
	_ = chi.Walk(r.mux, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		visit(method, pattern)
		return nil
	})
}

// Pattern is the pattern of the route for the method and path, "" if there is none.
func (r *Router) Pattern(method, path string) string {
	return r.mux.Find(chi.NewRouteContext(), method, path)
}

// Param is the text that stands at {name} in the matched pattern, unescaped; ""
// if it cannot be.
func Param(r *http.Request, name string) string {
	text := chi.URLParam(r, name)
	if r.URL.RawPath == "" { // then chi routes by the unescaped path
		return text
	}
	text, err := url.PathUnescape(text)
	if err != nil {
		return ""
	}
	return text
}

// Query is the URL's query. One that cannot be read is BadRequest, where
// URL.Query would drop what it cannot read.
func Query(r *http.Request) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.BadRequest, "the query of the URL is not well formed") // err repeats a part of it
	}
	return values, nil
}

func notFound(_ http.ResponseWriter, req *http.Request) error {
	return fault.New(fault.NotFound, "nothing is at %s", req.URL.EscapedPath())
}

func (r *Router) adapt(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		err := h(w, req)
		if err == nil {
			return
		}
		RecordError(req.Context(), err)
		if hungUp(req.Context()) { // its cancellation is most likely why h failed
			w.WriteHeader(StatusClientClosedRequest)
			return
		}
		r.fail(w, req, err)
	}
}

// withTimeout bounds h's work; a timeout of 0 is r.Timeout. What it returns is answered without that bound.
func (r *Router) withTimeout(timeout time.Duration, h Handler) Handler {
	return func(w http.ResponseWriter, req *http.Request) error {
		ctx, cancel := context.WithTimeout(req.Context(), cmp.Or(timeout, r.Timeout))
		defer cancel()
		return h(w, req.WithContext(ctx))
	}
}

// methodNotAllowed names the methods of the path, in the form that chi routes by.
// An unknown method of an unknown path is NotFound.
func (r *Router) methodNotAllowed(w http.ResponseWriter, req *http.Request) error {
	path := cmp.Or(req.URL.RawPath, req.URL.Path)
	var allowed []string
	if r.Pattern("GET", path) != "" {
		allowed = append(allowed, "GET", "HEAD")
	}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		if r.Pattern(method, path) != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return notFound(w, req)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return fault.New(fault.MethodNotAllowed, "%s is not for %s", req.Method, req.URL.Path)
}
