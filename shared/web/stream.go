package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5/middleware"
)

// sendTimeout is how long a listener may take for what one Send sends.
const sendTimeout = 5 * time.Second

// stoppingKey holds a context that is done when the server is to stop.
type stoppingKey struct{}

// Stream routes GET and HEAD to a handler that answers for as long as the
// caller listens, with Events: neither RequestTimeout nor the server's read and
// write timeouts apply. The request's context ends when the caller hangs up and
// when the server stops, which waits for no listener. An error after the first
// Send is for the request's log line only; the stream ends there.
func (r *Router) Stream(pattern string, h Handler) {
	r.mux.Get(pattern, func(w http.ResponseWriter, req *http.Request) {
		ctx, cancel := context.WithCancel(req.Context())
		defer cancel()
		if stopping, ok := ctx.Value(stoppingKey{}).(context.Context); ok {
			defer context.AfterFunc(stopping, cancel)()
		}
		// The deadline of reading the request would look like a caller who hung up.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		req = req.WithContext(ctx)
		if err := h(w, req); err != nil {
			NoteFailure(ctx, err)
			if ww, ok := w.(middleware.WrapResponseWriter); !ok || ww.Status() == 0 {
				r.fail(w, req, err)
			}
		}
	})
}

// Events sends server-sent events (WHATWG HTML, section 9.2) to the caller of a
// Stream. It is not safe for concurrent use.
type Events struct {
	w       http.ResponseWriter
	control *http.ResponseController
	retry   time.Duration
	open    bool
}

// NewEvents returns what sends to w. A browser that lost the stream is told to
// come back after retry. Nothing is sent before the first Send.
func NewEvents(w http.ResponseWriter, retry time.Duration) *Events {
	return &Events{w: w, control: http.NewResponseController(w), retry: retry}
}

// Send sends text, whole events each with its empty line, at once; the first
// one, which may be empty, starts the response. A caller who does not take it
// within 5 s is an error, and so is one who hung up.
func (e *Events) Send(text []byte) error {
	if err := e.deadline(time.Now().Add(sendTimeout)); err != nil {
		return err
	}
	if !e.open {
		e.open = true
		h := e.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // nginx would collect events
		e.w.WriteHeader(http.StatusOK)
		text = append([]byte("retry: "+strconv.FormatInt(e.retry.Milliseconds(), 10)+"\n\n"), text...)
	}
	if _, err := e.w.Write(text); err != nil {
		return err
	}
	if err := e.control.Flush(); err != nil {
		return err
	}
	return e.deadline(time.Time{}) // else the end of the response would be late
}

// deadline sets the time until when writes wait. A recorder of a test has none.
func (e *Events) deadline(t time.Time) error {
	if err := e.control.SetWriteDeadline(t); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
