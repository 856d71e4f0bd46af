// Package pagecache is a microcache: a page, or a part of one, that many ask for is made once and shared among them for
// a while, pages for a second or so.
package pagecache

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"craftista/shared/telemetry"
	"craftista/shared/web"

	"golang.org/x/sync/singleflight"
)

// Values stores what load returned, by key, for a while, for all who ask. It is safe for concurrent use.
type Values[V any] struct {
	ttl        time.Duration // from when the value was asked for, so that none is older
	maxEntries int
	loads      singleflight.Group

	mu      sync.Mutex // guards entries
	entries map[string]entry[V]
}

type entry[V any] struct {
	value   V
	expires time.Time
}

// NewValues returns a cache that stores each value for ttl and at most so many at once.
// A ttl of 0 stores and shares nothing.
func NewValues[V any](ttl time.Duration, maxEntries int) *Values[V] {
	return &Values[V]{ttl: ttl, maxEntries: maxEntries, entries: map[string]entry[V]{}}
}

// Load is the value with the key, which load returns if there is none. All who ask for the key meanwhile wait for it;
// load has the deadline of whoever asked first but does not end if they hang up. An error goes to all who wait and is
// not stored.
func (c *Values[V]) Load(ctx context.Context, key string, load func(context.Context) (V, error)) (V, error) {
	if c.ttl == 0 {
		return load(ctx)
	}
	c.mu.Lock()
	stored := c.entries[key]
	c.mu.Unlock()
	if time.Now().Before(stored.expires) {
		return stored.value, nil
	}
	// Do and not DoChan: nobody has to leave, the deadline of the first is the nearest.
	value, err, _ := c.loads.Do(key, func() (any, error) {
		expires := time.Now().Add(c.ttl)
		ctx, cancel := withoutHangUp(ctx)
		defer cancel()
		value, err := load(ctx)
		if err == nil {
			c.store(key, entry[V]{value, expires})
		}
		return value, err
	})
	if err != nil {
		var none V
		return none, err
	}
	return value.(V), nil
}

// Forget makes the next Load of the key load.
func (c *Values[V]) Forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, key)
}

// withoutHangUp is ctx with its deadline but without its end before that.
func withoutHangUp(ctx context.Context) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok {
		return context.WithDeadline(context.WithoutCancel(ctx), end)
	}
	return context.WithoutCancel(ctx), func() {}
}

// store makes room by dropping everything: a flood of keys costs loads, not memory.
func (c *Values[V]) store(key string, e entry[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= c.maxEntries {
		clear(c.entries)
	}
	c.entries[key] = e
}

// Pages stores whole responses. Each reader finds the id of their own trace in it.
type Pages struct{ responses *Values[*response] }

// New returns a cache of pages, which are as the values of NewValues.
func New(ttl time.Duration, maxEntries int) *Pages {
	return &Pages{NewValues[*response](ttl, maxEntries)}
}

// Serve sends the response of h to r, or what h answered somebody else with that
// key. The response must be the same for everybody.
func (p *Pages) Serve(w http.ResponseWriter, r *http.Request, key string, h web.Handler) error {
	if p.responses.ttl == 0 {
		return h(w, r)
	}
	res, err := p.responses.Load(r.Context(), key, func(ctx context.Context) (*response, error) {
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
	body    bytes.Buffer
	traceID string // stands in the body; "" if there is none
}

// record calls h, which may set no cookie: it would go to everybody.
func record(r *http.Request, h web.Handler) (*response, error) {
	w := &response{status: http.StatusOK, header: http.Header{}, traceID: telemetry.TraceID(r.Context())}
	if err := h(w, r); err != nil {
		return nil, err
	}
	if w.header["Set-Cookie"] != nil {
		return nil, errors.New("a page for everybody sets a cookie")
	}
	return w, nil
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
