package web

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
)

// requestContext is the context of a request: it ends RequestTimeout after the
// request began, or with it, and has its exchange and its route. It is what
// context.WithTimeout gives, except that the timer is made when somebody first
// asks for Done or Err. Most reads never do, since sockets only need the
// deadline, and the timer and its ties would cost them more than their route.
type requestContext struct {
	context.Context //nolint:containedctx // it is one itself; this is of the connection, with the span
	exchange        exchange
	route           *chi.Context
	deadline        time.Time

	timed atomic.Pointer[timed] // nil until somebody waits

	mu   sync.Mutex // guards over and the making of timed
	over bool       // the request is
}

// timed is a context that ends by itself.
type timed struct {
	context.Context //nolint:containedctx // it is one itself
	end             context.CancelFunc
}

func newRequestContext(ctx context.Context, w http.ResponseWriter, route *chi.Context, deadline time.Time) *requestContext {
	if sooner, ok := ctx.Deadline(); ok && sooner.Before(deadline) {
		deadline = sooner
	}
	return &requestContext{Context: ctx, exchange: exchange{ResponseWriter: w}, route: route, deadline: deadline}
}

// Deadline implements context.Context.
func (c *requestContext) Deadline() (time.Time, bool) { return c.deadline, true }

// Done implements context.Context.
func (c *requestContext) Done() <-chan struct{} { return c.wait().Done() }

// Err implements context.Context.
func (c *requestContext) Err() error { return c.wait().Err() }

// Value implements context.Context. What the standard library keeps there for
// itself is asked of the context that waits, so that contexts made from this one
// are tied to it without a goroutine each.
func (c *requestContext) Value(key any) any {
	switch key {
	case exchangeKey{}:
		return &c.exchange
	case chi.RouteCtxKey:
		return c.route
	}
	if t := c.timed.Load(); t != nil {
		return t.Value(key)
	}
	return c.Context.Value(key)
}

func (c *requestContext) wait() context.Context {
	if t := c.timed.Load(); t != nil {
		return t
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.timed.Load()
	if t == nil {
		t = &timed{}
		t.Context, t.end = context.WithDeadline(c.Context, c.deadline)
		c.timed.Store(t)
	}
	if c.over {
		t.end()
	}
	return t
}

// end ends the context with the request.
func (c *requestContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if t := c.timed.Load(); t != nil {
		t.end()
	}
}
