package pagecache

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"time"

	"craftista/shared/telemetry"
	"craftista/shared/web"
)

// Pages caches whole responses. Each reader finds the id of their own trace in it.
type Pages struct{ cache *Cache[response] }

// NewPages returns a cache of whole responses; ttl and maxEntries are as for New.
func NewPages(ttl time.Duration, maxEntries int) *Pages {
	return &Pages{New[response](ttl, maxEntries)}
}

// Serve sends the response of h to r, or what h answered somebody else with that
// key. The response must be the same for everybody.
func (p *Pages) Serve(w http.ResponseWriter, r *http.Request, key string, h web.Handler) error {
	res, err := p.cache.Get(r.Context(), key, func(ctx context.Context) (response, error) {
		return record(r.WithContext(ctx), h)
	})
	if err == nil {
		res.send(w)
	}
	return err
}

// response is recorded by its http.ResponseWriter methods and then sent to many.
type response struct {
	status  int
	header  http.Header
	body    *bytes.Buffer
	traceID string // stands in the body; "" if there is none
}

// record calls h, which may set no cookie: it would go to everybody.
func record(r *http.Request, h web.Handler) (response, error) {
	w := &response{
		status: http.StatusOK, header: http.Header{}, body: &bytes.Buffer{}, traceID: telemetry.TraceID(r.Context()),
	}
	if err := h(w, r); err != nil {
		return response{}, err
	}
	if w.header["Set-Cookie"] != nil {
		return response{}, errors.New("a page for everybody sets a cookie")
	}
	return *w, nil
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) { return w.body.Write(p) }

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) { w.status = status }

// send sends the response with the reader's own trace id, which the Router has put
// into the header already.
func (w *response) send(to http.ResponseWriter) {
	h, body := to.Header(), w.body.Bytes()
	maps.Copy(h, w.header.Clone())
	if w.traceID != "" {
		body = bytes.ReplaceAll(body, []byte(w.traceID), []byte(h.Get("Trace-Id")))
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	to.WriteHeader(w.status)
	_, _ = to.Write(body) // a reader who has hung up needs no answer
}
