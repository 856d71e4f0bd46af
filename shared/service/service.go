// Package service is a service as a process: settings, signals, exit codes, and
// the probe that a container without a shell asks itself.
package service

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"craftista/shared/config"
	"craftista/shared/telemetry"
)

// Config are the settings that every service has. The fields without an env tag
// are for programs that run services inside them.
type Config struct {
	Addr    string `env:"ADDR"`    // host:port to listen on
	Version string `env:"VERSION"` // what /health reports
	telemetry.Options

	Listener net.Listener // listened on instead of Addr if not nil
}

// Listen returns the listener to serve on.
func (c Config) Listen() (net.Listener, error) {
	if c.Listener != nil {
		return c.Listener, nil
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", c.Addr, err)
	}
	return l, nil
}

// Telemetry starts the named service's telemetry as the settings say.
func (c Config) Telemetry(ctx context.Context, name string) (*telemetry.Telemetry, error) {
	return telemetry.New(ctx, name, c.Version, c.Options)
}

// Main runs a service until SIGINT or SIGTERM and returns the exit code: 0 after
// a clean stop, 1 with one message on stderr otherwise. args are the command
// line without the program's name; "healthcheck URL" instead asks a running
// service whether it is well.
func Main[C any](
	name string, args, environ []string, stderr io.Writer, defaults C, run func(context.Context, C) error,
) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := start(ctx, args, environ, defaults, run)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

func start[C any](ctx context.Context, args, environ []string, defaults C, run func(context.Context, C) error) error {
	switch {
	case len(args) == 2 && args[0] == "healthcheck":
		return Probe(ctx, args[1])
	case len(args) > 0:
		return fmt.Errorf("unknown argument %q; settings come from the environment", args[0])
	}
	settings, err := config.Load(defaults, environ)
	if err != nil {
		return err
	}
	return run(ctx, settings)
}

// Probe is nil if a GET of url is answered with 200 within 2 s, or as long as ctx
// allows if that is less.
func Probe(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, res.Status)
	}
	return nil
}
