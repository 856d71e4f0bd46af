package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// StopGrace is how long requests in flight get to finish once a server stops.
const StopGrace = 10 * time.Second

// drainingKey holds a context that is done once the server drains; see Serve.
type drainingKey struct{}

// Draining reports whether the server that serves the request of ctx was asked to stop: it answers for a little longer.
func Draining(ctx context.Context) bool {
	asked, ok := ctx.Value(drainingKey{}).(context.Context)
	return ok && asked.Err() != nil
}

// Serve answers on l until ctx is done, and for as long as drain after that, in which Draining tells load balancers to
// send nothing more and every response closes its connection. Then it stops accepting, ends the streams and lets the
// other requests in flight finish (StopGrace at most). It closes l. The error is nil after a clean stop.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger, drain time.Duration) error {
	stopping, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() {
		log.InfoContext(ctx, "draining", "for", drain.String())
		time.AfterFunc(drain, stop)
	})()
	base := context.WithValue(context.WithoutCancel(ctx), drainingKey{}, ctx)
	base = context.WithValue(base, stoppingKey{}, stopping)
	server := &http.Server{
		Handler:           lastWhileDraining(h),
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	log.InfoContext(ctx, "listening", "addr", l.Addr().String())

	select {
	case err := <-served: // the listener broke
		stop()
		return errors.Join(err, shutdown(server))
	case <-stopping.Done():
		err := shutdown(server)
		if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		return err
	}
}

// lastWhileDraining has clients leave a server that drains: each response is the last of its connection. It is not
// http.Server's SetKeepAlivesEnabled, which also closes the connections without a request, and on one of these a
// request may be on its way. So Shutdown finds no connection that is used: it drops a request that it has read but not
// begun.
func lastWhileDraining(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if Draining(r.Context()) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// shutdown stops accepting and waits for the requests in flight, then cuts off the
// ones that outlast StopGrace.
func shutdown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), StopGrace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests outlasted the stop: %w", err), server.Close())
	}
	return nil
}
