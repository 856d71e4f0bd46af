package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"craftista/auth"
	"craftista/db/embedded"
	"craftista/frontend"
	"craftista/product"
	"craftista/recommendation"
	"craftista/shared/service"
	"craftista/shared/telemetry"
	"craftista/shared/web"
	"craftista/stack/internal/traces"

	"github.com/alicebob/miniredis/v2"
)

// Version is what every service of the stack reports.
const Version = "dev"

// readyWithin bounds how long the services may take to become ready.
const readyWithin = 30 * time.Second

// audience is who the tokens are for.
const audience = "craftista"

// Stack is a running Craftista.
type Stack struct {
	URLs  map[string]string // by service name, and of the page of traces
	parts []*part           // in the order they were started
	ended chan error        // what a part that ended by itself said
}

// part is one thing that runs until it is stopped.
type part struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	err    error         // what it said, once done
}

// Run starts a stack, tells out where things are, and runs it until ctx is done
// or a part of it fails.
func Run(ctx context.Context, c Config, out io.Writer) error {
	began := time.Now()
	say := func(step string) { _, _ = fmt.Fprintf(out, "… %s\n", step) }
	s, err := Start(ctx, c, say)
	switch {
	case err != nil && ctx.Err() != nil: // interrupted before it was ready
		return nil //nolint:nilerr // what was asked for
	case err != nil:
		return err
	}
	s.describe(out, c, time.Since(began))
	select {
	case err = <-s.ended:
	case <-ctx.Done():
		_, _ = fmt.Fprintln(out, "\n… stopping")
	}
	return errors.Join(err, s.Stop())
}

// Start returns a stack whose every service is ready. The caller stops it. Each
// error is a sentence that says what to do.
func Start(ctx context.Context, c Config, progress func(string)) (_ *Stack, err error) {
	ports, err := c.listen()
	if err != nil {
		return nil, err
	}
	s := &Stack{URLs: map[string]string{}, ended: make(chan error, 8)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
			ports.close() // those that nobody serves on
		}
	}()
	for name := range ports {
		s.URLs[name] = ports.url(name)
	}
	data, err := c.dataFolder()
	if err != nil {
		return nil, err
	}
	db, err := c.openDatabase(ctx, data, progress)
	if err != nil {
		return nil, err
	}
	s.start(ctx, "database", func(ctx context.Context) error {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), web.StopGrace)
		defer cancel()
		return db.stop(end)
	})
	redis, err := s.startCache(ctx, c)
	if err != nil {
		return nil, err
	}
	s.startServices(ctx, c, ports, db, redis, filepath.Join(data, "keys"))
	return s, s.awaitReady(ctx)
}

// startCache returns the URL of Redis and starts one if the settings name none.
func (s *Stack) startCache(ctx context.Context, c Config) (string, error) {
	if c.RedisURL != "" {
		return c.RedisURL, nil
	}
	m, err := miniredis.Run()
	if err != nil {
		return "", fmt.Errorf("start the in-memory Redis: %w", err)
	}
	s.start(ctx, "cache", func(ctx context.Context) error { return runCache(ctx, m) })
	return "redis://" + m.Addr(), nil
}

// startServices starts the page of traces and the four services, the frontend
// last, so that it is the first to stop.
func (s *Stack) startServices(ctx context.Context, c Config, ports listeners, db *database, redis, keys string) {
	exporter := c.Exporter
	if c.OTLPEndpoint == "" {
		store := &traces.Store{}
		exporter = tee(store, c.Exporter)
		s.start(ctx, "traces", func(ctx context.Context) error {
			return web.Serve(ctx, ports["traces"], traces.Handler(store), telemetry.Discard().Log)
		})
	} else {
		_ = ports["traces"].Close()
		delete(s.URLs, "traces")
	}
	common := func(l net.Listener) service.Config {
		return service.Config{Version: Version, OTLPEndpoint: c.OTLPEndpoint, Sampling: c.Sampling, Listener: l, Exporter: exporter, Log: c.logHandler()}
	}
	internalKey, jwks := rand.Text(), s.URLs["auth"]+"/.well-known/jwks.json"

	a := auth.Default()
	a.Config, a.DatabaseURL, a.Issuer, a.Audience, a.KeyDir, a.InternalAPIKey = common(ports["auth"]), db.auth, s.URLs["auth"], audience, keys, internalKey
	a.AccessTokenTTL, a.BcryptCost, a.ConsentURL = c.AccessTokenTTL, c.BcryptCost, s.URLs["frontend"]+"/authorize"
	p := product.Default()
	p.Config, p.DatabaseURL, p.RedisURL, p.JWKSURL, p.Issuer, p.Audience = common(ports["product"]), db.product, redis, jwks, s.URLs["auth"], audience
	r := recommendation.Default()
	r.Config, r.DatabaseURL, r.JWKSURL, r.Issuer, r.Audience = common(ports["recommendation"]), db.recommendation, jwks, s.URLs["auth"], audience
	f := frontend.Default()
	f.Config, f.AuthURL, f.ProductURL, f.RecommendationURL = common(ports["frontend"]), s.URLs["auth"], s.URLs["product"], s.URLs["recommendation"]
	f.Issuer, f.Audience, f.InternalAPIKey, f.DevReload, f.TraceURLTemplate = s.URLs["auth"], audience, internalKey, c.DevReload, c.traceURL(ports)

	s.start(ctx, "auth", func(ctx context.Context) error { return auth.Run(ctx, a) })
	s.start(ctx, "product", func(ctx context.Context) error { return product.Run(ctx, p) })
	s.start(ctx, "recommendation", func(ctx context.Context) error { return recommendation.Run(ctx, r) })
	s.start(ctx, "frontend", func(ctx context.Context) error { return frontend.Run(ctx, f) })
}

// start runs a part until it is stopped. ctx does not stop it: a stack stops in
// order, see Stop.
func (s *Stack) start(ctx context.Context, name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &part{name: name, cancel: cancel, done: make(chan struct{})}
	s.parts = append(s.parts, p)
	go func() {
		defer close(p.done)
		p.err = run(ctx)
		if ctx.Err() == nil {
			s.ended <- errors.Join(fmt.Errorf("%s ended by itself", name), p.err)
		}
	}()
}

// Stop stops every part, the last started first, and waits for each.
func (s *Stack) Stop() error {
	var all error
	for _, p := range slices.Backward(s.parts) {
		all = errors.Join(all, p.stop())
	}
	s.parts = nil
	return all
}

// StopPart stops one part and leaves the others running, for tests of what they
// do without it.
func (s *Stack) StopPart(name string) error {
	for i, p := range s.parts {
		if p.name == name {
			s.parts = slices.Delete(s.parts, i, i+1)
			return p.stop()
		}
	}
	return fmt.Errorf("no part is called %q", name)
}

func (p *part) stop() error {
	stopped := false
	select {
	case <-p.done: // it ended by itself, and told so
		stopped = true
	default:
	}
	p.cancel()
	<-p.done
	if stopped || p.err == nil {
		return nil
	}
	return fmt.Errorf("stop %s: %w", p.name, p.err)
}

// awaitReady returns once every service says that it is ready, or one of them
// has ended.
func (s *Stack) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for _, name := range []string{"auth", "product", "recommendation", "frontend"} {
		for !ready(ctx, s.URLs[name]) {
			select {
			case err := <-s.ended:
				return err
			case <-time.After(20 * time.Millisecond):
			}
			if ctx.Err() != nil {
				return fmt.Errorf("%s is not ready after %v: see %s/readyz", name, readyWithin, s.URLs[name])
			}
		}
	}
	return nil
}

// ready asks once, and not for long: the port of a service that has ended still
// accepts.
func ready(ctx context.Context, base string) bool {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	return service.Probe(ctx, base+"/readyz") == nil
}

// dataFolder is where the private database and the signing keys live.
func (c Config) dataFolder() (string, error) {
	dir := c.Data
	if dir == "" {
		var err error
		if dir, err = embedded.DefaultDir(); err != nil {
			return "", err
		}
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o755) //nolint:gosec // as root, PostgreSQL's own user must get in; what is secret lies in closed folders
	}
	if err != nil {
		return "", fmt.Errorf("the data folder cannot be used: choose another with STACK_DATA (%w)", err)
	}
	return dir, nil
}
