// Package pagecache is a microcache: a page that many visitors ask for at nearly the
// same time is made once and shared among them for a second or so.
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

// Pages stores whole responses for a short time. Each reader finds the id of their own
// trace in it. It is safe for concurrent use and starts no goroutine.
type Pages struct {
	ttl        time.Duration // from when the page was asked for, so that no page is older
	maxEntries int
	loads      singleflight.Group

	mu      sync.Mutex // guards entries
	entries map[string]*response
}

// New returns a cache that stores each response for ttl and at most so many at once.
// A ttl of 0 stores and shares nothing.
func New(ttl time.Duration, maxEntries int) *Pages {
	return &Pages{ttl: ttl, maxEntries: maxEntries, entries: map[string]*response{}}
}

// Serve sends the response of h to r, or what h answered somebody else with that
// key. The response must be the same for everybody. All who ask for the key while h
// is at work wait for it; it has the deadline of whoever asked first but does not end
// if they hang up. An error goes to all who wait and is not stored.
func (p *Pages) Serve(w http.ResponseWriter, r *http.Request, key string, h web.Handler) error {
	if p.ttl == 0 {
		return h(w, r)
	}
	res := p.stored(key)
	if res == nil {
		// Do and not DoChan: nobody has to leave, the deadline of the first is the nearest.
		made, err, _ := p.loads.Do(key, func() (any, error) { return p.load(r, key, h) })
		if err != nil {
			return err
		}
		res = made.(*response)
	}
	res.send(w)
	return nil
}

// load calls h and stores the response.
func (p *Pages) load(r *http.Request, key string, h web.Handler) (*response, error) {
	expires := time.Now().Add(p.ttl)
	ctx, cancel := withoutHangUp(r.Context())
	defer cancel()
	res, err := record(r.WithContext(ctx), h)
	if err == nil {
		res.expires = expires
		p.store(key, res)
	}
	return res, err
}

// withoutHangUp is ctx with its deadline but without its end before that.
func withoutHangUp(ctx context.Context) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok {
		return context.WithDeadline(context.WithoutCancel(ctx), end)
	}
	return context.WithoutCancel(ctx), func() {}
}

// stored is the response with the key, nil if there is none.
func (p *Pages) stored(key string) *response {
	p.mu.Lock()
	defer p.mu.Unlock()
	if res := p.entries[key]; res != nil && time.Now().Before(res.expires) {
		return res
	}
	return nil
}

// store makes room by dropping everything: a flood of keys costs loads, not memory.
func (p *Pages) store(key string, res *response) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.entries) >= p.maxEntries {
		clear(p.entries)
	}
	p.entries[key] = res
}

// response is recorded by its http.ResponseWriter methods and then sent to many.
type response struct {
	status  int
	header  http.Header
	body    bytes.Buffer
	traceID string // stands in the body; "" if there is none
	expires time.Time
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
