package web

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// sendTimeout is how long a listener may take for what one send sends.
const sendTimeout = 5 * time.Second

// Feed tells one listener events until ctx is done, which it is when the
// listener hangs up or the server stops. send sends whole server-sent events
// (WHATWG HTML, section 9.2), each with its empty line, at once; it is an error
// if the listener does not take them within 5 s, and a feed then ends.
type Feed func(ctx context.Context, send func(events []byte) error) error

// runKey holds the runner of the server that a request came by.
type runKey struct{}

// runner runs something in the background. The context ends when the server
// stops, which waits for what it runs.
type runner func(do func(context.Context))

// Stream routes GET and HEAD to server-sent events, in HTTP/1.1 only. open
// answers as a Handler does, and with an error or the feed, which Stream then
// runs unless it was a HEAD. A browser that lost it comes back after retry.
//
// The request ends there, with its span and its log line. The connection, which
// may stay for hours, is taken out of net/http: no timeout of requests and no
// memory of them stays with a listener.
func (r *Router) Stream(pattern string, retry time.Duration, open func(req *http.Request) (Feed, error)) {
	first := "retry: " + strconv.FormatInt(retry.Milliseconds(), 10) + "\n\n"
	r.mux.Get(pattern, r.adapt(func(w http.ResponseWriter, req *http.Request) error {
		feed, err := open(req)
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // nginx would collect events
		h.Set("Connection", "close")     // which is how the body ends
		if req.Method == http.MethodHead {
			w.WriteHeader(http.StatusOK)
			return nil
		}
		return r.takeOver(w, req, first, feed)
	}))
}

// takeOver returns once the connection is the feed's.
func (r *Router) takeOver(w http.ResponseWriter, req *http.Request, first string, feed Feed) error {
	run, ok := req.Context().Value(runKey{}).(runner)
	if !ok { // a server of a test
		run = func(do func(context.Context)) { go do(context.Background()) }
	}
	path, span, taken := req.URL.Path, trace.SpanContextFromContext(req.Context()), make(chan error)
	run(func(ctx context.Context) { // which counts before the server lets go of the connection
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			taken <- fmt.Errorf("take over the connection: %w", err)
			return
		}
		head := bytes.NewBufferString("HTTP/1.1 200 OK\r\nDate: " + time.Now().UTC().Format(http.TimeFormat) + "\r\n")
		_ = w.Header().Write(head) // no error comes from a buffer
		head.WriteString("\r\n" + first)
		taken <- nil
		r.feed(trace.ContextWithSpanContext(ctx, span), conn, path, head.Bytes(), feed)
	})
	return <-taken
}

// feed runs one feed and logs how it ended, unless that was as it should.
func (r *Router) feed(ctx context.Context, conn net.Conn, path string, head []byte, feed Feed) {
	start := time.Now()
	err := listen(ctx, conn, func(ctx context.Context, send func([]byte) error) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = panicked(p)
			}
		}()
		if err := send(head); err != nil {
			return err
		}
		return feed(ctx, send)
	})
	if err != nil {
		r.log.LogAttrs(ctx, slog.LevelInfo, "stream ended", slog.String("path", path),
			slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000), slog.String("error", err.Error()))
	}
}

// listen runs the feed and closes the connection.
func listen(ctx context.Context, conn net.Conn, feed Feed) error {
	ctx, cancel := context.WithCancel(ctx)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer cancel()
		_, _ = conn.Read(make([]byte, 1)) // a listener has nothing to say: whatever comes is the end
	}()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // so that a send does not hold up the end
	err := feed(ctx, func(events []byte) error {
		if err := conn.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
			return err
		}
		_, err := conn.Write(events)
		return err
	})
	if ctx.Err() != nil {
		err = nil // whatever a feed said that was cut off
	}
	if stop() {
		_ = conn.Close()
	}
	<-gone
	return err
}
