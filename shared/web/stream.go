package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"
)

// Heartbeat is a server-sent event without content, for a stream that has had
// nothing to send for a while: proxies close connections that are silent.
const Heartbeat = ": still here\n\n"

// sendTimeout is how long a listener may take for what one send sends, and so
// how long one that takes nothing may hold up the stop of the server.
const sendTimeout = 3 * time.Second

// Feed sends one listener events until ctx is done, which it is when the listener
// hangs up or the server stops. send sends whole server-sent events (WHATWG HTML,
// section 9.2), each with its empty line, at once; it is an error if the listener
// does not take them within 3 s, and a feed then ends.
type Feed func(ctx context.Context, send func(events []byte) error) error

// stoppingKey holds a context that is done once the server stops; see Serve.
type stoppingKey struct{}

// feedKey holds the place where a stream's handler puts its Feed.
type feedKey struct{}

// Stream routes GET and HEAD of a path to server-sent events. open answers as a
// Handler does, and with an error or the feed, which then runs unless it was a
// HEAD. A browser that lost the stream asks again after retry.
func (r *Router) Stream(path string, retry time.Duration, open func(req *http.Request) (Feed, error)) {
	r.streams[path] = fmt.Appendf(nil, "retry: %d\n\n", retry.Milliseconds())
	r.Get(path, func(w http.ResponseWriter, req *http.Request) error {
		feed, err := open(req)
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // nginx would collect events
		w.WriteHeader(http.StatusOK)
		if place, ok := req.Context().Value(feedKey{}).(*Feed); ok && req.Method != http.MethodHead {
			*place = feed
		}
		return nil
	})
}

// serveStream answers a request and then runs the feed, if there is one. By then
// the request's span and log line have ended: a span of hours says nothing, and
// what only a request needs does not stay in memory with each listener.
func (r *Router) serveStream(w http.ResponseWriter, req *http.Request, first []byte) {
	var feed Feed
	r.mux.ServeHTTP(w, req.WithContext(context.WithValue(req.Context(), feedKey{}, &feed)))
	if feed == nil {
		return
	}
	start := time.Now()
	if err := runFeed(req.Context(), w, first, feed); err != nil {
		r.log.LogAttrs(req.Context(), slog.LevelInfo, "stream ended", slog.String("path", req.URL.Path),
			slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000), slog.String("error", err.Error()))
	}
}

// runFeed sends what is first and then what the feed sends. It returns nil if the
// listener hung up or the server stops.
func runFeed(request context.Context, w http.ResponseWriter, first []byte, feed Feed) (err error) {
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
		err = feed(ctx, send)
	}
	if ctx.Err() != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}
