package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"craftista/shared/fault"
)

// Heartbeat is a server-sent event without content, for a stream that has had
// nothing to send for a while: proxies close connections that are silent.
const Heartbeat = ": still here\n\n"

// sendTimeout is how long a listener may take for what one send sends, and so
// how long one that takes nothing may hold up the stop of the server.
const sendTimeout = 3 * time.Second

// EventStream sends events to one listener until ctx is done: the listener
// disconnected or the server stops. send sends whole server-sent events (WHATWG
// HTML, section 9.2), each with its empty line, without delay. It returns an error if
// the listener does not take them within 3 s; the stream must then return.
type EventStream func(ctx context.Context, send func(events []byte) error) error

const defaultListeners = 10_000

// streamRoute is a path of server-sent events.
type streamRoute struct {
	first     []byte // what each response begins with
	most      int64  // listeners at once
	listeners atomic.Int64
}

// stoppingKey holds a context that is done when the drain is over; see Serve.
type stoppingKey struct{}

// listenerKey holds the *listener of a request for a stream.
type listenerKey struct{}

// listener is a request for a stream. The handler stores the stream in it.
type listener struct {
	isTooMany bool
	stream    EventStream
}

// Stream routes GET and HEAD of a path to server-sent events. open returns an
// error, which is answered as a Handler's, or the stream, which runs if the request
// is a GET. A browser that lost the connection reconnects after retry. Listeners
// above MaxListeners are refused as Unavailable.
func (r *Router) Stream(path string, retry time.Duration, open func(req *http.Request) (EventStream, error)) {
	r.streams[path] = &streamRoute{
		first: fmt.Appendf(nil, "retry: %d\n\n", retry.Milliseconds()),
		most:  int64(min(cmp.Or(r.MaxListeners, defaultListeners), spareDescriptors()/2)),
	}
	r.Get(path, func(w http.ResponseWriter, req *http.Request) error {
		h := w.Header()
		own, _ := req.Context().Value(listenerKey{}).(*listener)
		if own.isTooMany {
			h.Set("Connection", "close") // it would keep a connection that others need
			const message = "too many are listening, try again later"
			return &fault.Error{Kind: fault.Unavailable, Message: message, RetryAfter: 10 * time.Second}
		}
		stream, err := open(req)
		if err != nil {
			return err
		}
		h.Set("Connection", "close") // a stop of the server, which ends it, would drop the connection's next request
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // nginx would collect events
		w.WriteHeader(http.StatusOK)
		if req.Method != http.MethodHead {
			own.stream = stream
		}
		return nil
	})
}

// serveStream calls the handler, and runs the stream only after the handler has
// returned: then the request's span and log line end with the handler, not hours
// later with the stream, and the memory of the middleware is free.
func (r *Router) serveStream(w http.ResponseWriter, req *http.Request, route *streamRoute) {
	own := &listener{isTooMany: route.listeners.Add(1) > route.most}
	defer route.listeners.Add(-1)
	r.mux.ServeHTTP(w, req.WithContext(context.WithValue(req.Context(), listenerKey{}, own)))
	if own.stream == nil {
		return
	}
	defer r.countListener(req)()
	start := time.Now()
	if err := runEventStream(req.Context(), w, route.first, own.stream); err != nil {
		r.log.LogAttrs(req.Context(), slog.LevelInfo, "stream ended", slog.String("path", req.URL.Path),
			slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000), slog.String("error", err.Error()))
	}
}

// runEventStream sends first and then what the stream sends. It returns nil if the
// listener disconnected or the server stops.
func runEventStream(request context.Context, w http.ResponseWriter, first []byte, stream EventStream) (err error) {
	ctx, cancel := context.WithCancel(request)
	defer cancel()
	if stopping, ok := ctx.Value(stoppingKey{}).(context.Context); ok {
		defer context.AfterFunc(stopping, cancel)()
	}
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	control := http.NewResponseController(w)
	send := func(events []byte) error {
		if err := control.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
			return err
		}
		if _, err := w.Write(events); err != nil {
			return err
		}
		return control.Flush()
	}
	defer func() { _ = control.SetWriteDeadline(time.Now().Add(sendTimeout)) }() // for the end of the body
	err = control.SetReadDeadline(time.Time{})                                   // of the server's ReadTimeout
	if err == nil {
		err = send(first)
	}
	if err == nil {
		err = stream(ctx, send)
	}
	if ctx.Err() != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}
