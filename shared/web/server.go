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

// Serve answers on l until ctx is done. Then it stops accepting, ends the
// streams and lets the other requests in flight finish (StopGrace at most). It
// closes l. The error is nil after a clean stop.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	ctx, endStreams := context.WithCancel(ctx)
	defer endStreams()
	base := context.WithValue(context.WithoutCancel(ctx), stoppingKey{}, ctx)
	server := &http.Server{
		Handler:           h,
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
		endStreams()
		return errors.Join(err, drain(server))
	case <-ctx.Done():
		err := drain(server)
		if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		return err
	}
}

// drain stops accepting and waits for the requests in flight, then cuts off the
// ones that outlast StopGrace.
func drain(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), StopGrace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests outlasted the stop: %w", err), server.Close())
	}
	return nil
}
