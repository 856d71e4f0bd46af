// Package service is a service as a process: settings, signals, exit codes, and
// the probe that a container without a shell asks itself.
package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"craftista/shared/build"
	"craftista/shared/config"
	"craftista/shared/telemetry"
	"craftista/shared/web"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// Config are the settings that every service has. The fields without an env tag
// are for programs that run services inside them.
type Config struct {
	Addr  string        `env:"ADDR"`  // host:port to listen on
	Drain time.Duration `env:"DRAIN"` // how long it goes on after the signal to stop, see web.Serve
	telemetry.Options

	TrustedProxies []netip.Prefix `env:"TRUSTED_PROXIES"` // whose X-Forwarded-For counts, see web.TrustProxies

	Listener       net.Listener  // listened on instead of Addr if not nil
	RequestTimeout time.Duration // see web.Router; 0 is web.RequestTimeout
}

// Closers end what a service has opened.
type Closers []func() error

// Add adds the function that closes what was just opened.
func (c *Closers) Add(closer func() error) { *c = append(*c, closer) }

// Run starts run, and adds a closer that ends its context and waits for it. The end of the service's own context does
// not end it: requests that finish late need what it does.
func (c *Closers) Run(run func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	c.Add(func() error { cancel(); running.Wait(); return nil })
}

// close ends what was opened last first, for it may use what was opened before.
func (c *Closers) close() (err error) {
	for _, closer := range slices.Backward(*c) {
		err = errors.Join(err, closer())
	}
	return err
}

// Serve starts the telemetry of the named service and serves what open returns until ctx is done, see web.Serve. Then,
// or if the service cannot start, it runs the closers that open has added, the last first, and ends the telemetry.
func (c Config) Serve(
	ctx context.Context, name string, open func(*telemetry.Telemetry, *Closers) (*web.Router, error),
) error {
	t, err := telemetry.New(ctx, name, build.Current().Version, c.Options)
	if err != nil {
		return err
	}
	opened := Closers{func() error { return t.Shutdown(context.WithoutCancel(ctx)) }}
	routes, err := open(t, &opened)
	if err != nil {
		return errors.Join(err, opened.close())
	}
	l, err := c.listen()
	if err != nil {
		return errors.Join(err, opened.close())
	}
	routes.Timeout = cmp.Or(c.RequestTimeout, routes.Timeout)
	handler := web.TrustProxies(c.TrustedProxies, routes)
	return errors.Join(web.Serve(ctx, l, handler, t.Log, max(0, c.Drain)), opened.close())
}

func (c Config) listen() (net.Listener, error) {
	if c.Listener != nil {
		return c.Listener, nil
	}
	l, err := net.Listen("tcp", c.Addr)
	if _, malformed := errors.AsType[*net.AddrError](err); malformed {
		return nil, errors.New("ADDR is not of the form host:port, such as localhost:8000 or :8000")
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", c.Addr, err)
	}
	return l, nil
}

// Process is what a program gets from the operating system.
type Process struct {
	Args    []string // without the program's name
	Environ []string // "NAME=value" each
	Stderr  io.Writer
}

// OSProcess is this process.
func OSProcess() Process { return Process{os.Args[1:], os.Environ(), os.Stderr} }

// Main runs a service until SIGINT or SIGTERM and returns the exit code: 0 after
// a clean stop, 1 with one message on stderr otherwise. With the arguments
// "healthcheck URL" it instead asks a running service whether it is healthy.
func Main[C any](name string, p Process, defaults C, run func(context.Context, C) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := start(ctx, p, defaults, run)
	if err != nil {
		_, _ = fmt.Fprintf(p.Stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

func start[C any](ctx context.Context, p Process, defaults C, run func(context.Context, C) error) error {
	switch {
	case len(p.Args) == 2 && p.Args[0] == "healthcheck":
		return Probe(ctx, p.Args[1])
	case len(p.Args) > 0:
		return fmt.Errorf("unknown argument %q; settings come from the environment", p.Args[0])
	}
	settings, err := config.Load(defaults, p.Environ)
	if err != nil {
		return err
	}
	// GOMEMLIMIT, or 0.9 of what the container may have. An error means that the system has no cgroups.
	_, _ = memlimit.Set()
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
