package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"
)

// StopGrace is how long requests in flight get to finish once a server stops.
const StopGrace = 10 * time.Second

// reservedDescriptors are those that a process needs first: connection pools, of which Redis's has 64 and PostgreSQL's
// 16, what it listens on, telemetry.
const reservedDescriptors = 100

// unlimited stands for no limit of descriptors.
const unlimited = math.MaxInt32

// spareDescriptors is how many files and connections the process may open besides the reserved ones.
func spareDescriptors() int { return max(1, int(min(descriptors(), unlimited))-reservedDescriptors) }

// drainingKey holds a context that is done once the server drains; see Serve.
type drainingKey struct{}

// Draining reports whether the server that serves the request of ctx was asked to stop: it answers for a little longer.
func Draining(ctx context.Context) bool {
	asked, ok := ctx.Value(drainingKey{}).(context.Context)
	return ok && asked.Err() != nil
}

// Serve answers on l until ctx is done, and for as long as drain after that, while Draining tells load balancers to
// send nothing more. In the second half of the drain it accepts no new connections, and closes each that it has after
// the next response. Then it ends the streams and lets the other requests in flight finish (StopGrace at most). It
// closes l. The error is nil after a clean stop.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger, drain time.Duration) error {
	stopping, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	base := context.WithValue(context.WithoutCancel(ctx), drainingKey{}, ctx)
	base = context.WithValue(base, stoppingKey{}, stopping)
	var lastResponses atomic.Bool
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if lastResponses.Load() {
				w.Header().Set("Connection", "close")
			}
			h.ServeHTTP(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	// Others wait in the system's queue. Without a bound, callers who come at once take the descriptors that their own
	// requests need to reach the database, and stay.
	bounded := netutil.LimitListener(l, max(1, spareDescriptors()/4*3))
	served := make(chan error, 1)
	go func() { served <- server.Serve(bounded) }()
	log.InfoContext(ctx, "listening", "addr", l.Addr().String())

	select {
	case err := <-served: // the listener broke
		stop()
		return errors.Join(err, shutdown(server))
	case <-ctx.Done():
	}
	// Shutdown drops a request that it has read but not begun, so no connection may be in use when it is called. The
	// server's SetKeepAlivesEnabled would also close those without a request, on one of which one may be on its way.
	log.InfoContext(ctx, "draining", "for", drain.String())
	<-time.After(drain / 2)
	lastResponses.Store(true)
	_ = bounded.Close()
	err := <-served
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	log.InfoContext(ctx, "accepting no more connections")
	<-time.After(drain / 2)
	stop()
	return errors.Join(err, shutdown(server))
}

// shutdown waits for the requests in flight, then cuts off the ones that outlast StopGrace.
func shutdown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), StopGrace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests outlasted the stop: %w", err), server.Close())
	}
	return nil
}
