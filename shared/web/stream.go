package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"go.opentelemetry.io/otel/trace"
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

// Stream routes GET and HEAD of a path to server-sent events. open answers as a Handler
// does, and with an error or the feed, which Stream then runs unless it was a
// HEAD. A browser that lost the stream asks again after retry.
//
// RequestTimeout holds for open alone. The span of a stream ends when
// it begins, since one of hours says nothing; its log line says how it ended.
func (r *Router) Stream(path string, retry time.Duration, open func(req *http.Request) (Feed, error)) {
	r.streams[path] = true
	first := fmt.Appendf(nil, "retry: %d\n\n", retry.Milliseconds())
	r.mux.Get(path, r.adapt(func(w http.ResponseWriter, req *http.Request) error {
		feed, err := openFeed(req, open)
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // nginx would collect events
		if req.Method == http.MethodHead {
			w.WriteHeader(http.StatusOK)
			return nil
		}
		trace.SpanFromContext(req.Context()).End()
		runFeed(w, req, first, feed)
		return nil
	}))
}

func openFeed(req *http.Request, open func(*http.Request) (Feed, error)) (Feed, error) {
	ctx, cancel := context.WithTimeout(req.Context(), RequestTimeout)
	defer cancel()
	return open(req.WithContext(ctx))
}

// runFeed sends what is first and then what the feed sends. How that ended is
// only logged: the response has begun.
func runFeed(w http.ResponseWriter, req *http.Request, first []byte, feed Feed) {
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	if stopping, ok := ctx.Value(stoppingKey{}).(context.Context); ok {
		defer context.AfterFunc(stopping, cancel)()
	}
	control := http.NewResponseController(w)
	send := func(events []byte) error {
		deadline := time.Now().Add(sendTimeout)
		if err := control.SetWriteDeadline(deadline); err != nil {
			return err
		}
		if _, err := w.Write(events); err != nil {
			return err
		}
		if err := control.Flush(); err != nil {
			return err
		}
		if time.Now().After(deadline) { // wrappers of w hide Flush's error
			return os.ErrDeadlineExceeded
		}
		return nil
	}
	err := control.SetReadDeadline(time.Time{}) // of the server's ReadTimeout
	if err == nil {
		err = send(first)
	}
	if err == nil {
		err = feed(ctx, send)
	}
	if err != nil && (ctx.Err() == nil || errors.Is(err, os.ErrDeadlineExceeded)) {
		NoteFailure(req.Context(), err)
	}
	_ = control.SetWriteDeadline(time.Now().Add(sendTimeout)) // for the end of the body
}
