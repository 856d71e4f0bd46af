package local

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"craftista/auth"
	"craftista/db/embedded"
	"craftista/frontend"
	"craftista/product"
	"craftista/recommendation"
	"craftista/shared/mailbox"
	"craftista/shared/service"
	"craftista/shared/telemetry"
	"craftista/shared/web"
	"craftista/stack/internal/traces"

	"github.com/alicebob/miniredis/v2"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// slowStart is how long a service may take to become ready before the stack says what it waits for.
const slowStart = 30 * time.Second

// audience is who the tokens are for.
const audience = "craftista"

// Stack is a running Craftista.
type Stack struct {
	URLs         map[string]string // by service name, and of the page of traces
	Config       Config
	KeyFile      string          // has the internal API key, for scripts that register people
	Traces       *traces.Store   // what the page of traces shows; empty if they are sent elsewhere
	Metrics      *traces.Metrics // likewise
	Mails        *mailbox.Box    // what auth sent; nil if SMTP_URL has it sent elsewhere
	authDatabase string          // file with auth's DATABASE_URL
	parts        []*part         // in the order they were started
	ended        chan error      // of a part that ended by itself
}

// part is one thing that runs until it is stopped.
type part struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	err    error         // of stopping it, once done
}

// Run starts a stack, prints its URLs to out, and runs it until ctx is done or a
// part of it fails.
func Run(ctx context.Context, c Config, out io.Writer) error {
	began := time.Now()
	s, err := Start(ctx, c, func(step string) { _, _ = fmt.Fprintf(out, "… %s\n", step) })
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
	s := &Stack{
		URLs: map[string]string{}, Config: c, Traces: &traces.Store{}, Metrics: &traces.Metrics{}, ended: make(chan error, 8),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
			ports.close() // those without a server
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
	s.startDatabase(ctx, db)
	s.authDatabase = filepath.Join(data, "auth-database-url")
	if err := os.WriteFile(s.authDatabase, []byte(db.auth), 0o600); err != nil {
		return nil, fmt.Errorf("the data folder cannot be written: choose another with STACK_DATA (%w)", err)
	}
	redis, err := s.startCache(ctx, c)
	if err != nil {
		return nil, err
	}
	s.KeyFile, s.Config.InternalAPIKey = filepath.Join(data, "internal_api_key"), cmp.Or(c.InternalAPIKey, rand.Text())
	if err := os.WriteFile(s.KeyFile, []byte(s.Config.InternalAPIKey), 0o600); err != nil {
		return nil, fmt.Errorf("write the internal API key (STACK_DATA names the folder): %w", err)
	}
	if s.Config.SMTPURL, err = s.startMailbox(ctx, c); err != nil {
		return nil, err
	}
	s.startServices(ctx, ports, db, redis)
	return s, s.awaitReady(ctx, progress)
}

// startDatabase stops the database with the stack.
func (s *Stack) startDatabase(ctx context.Context, db *database) {
	s.start(ctx, "database", func(ctx context.Context) error {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), web.StopGrace)
		defer cancel()
		return db.stop(end)
	})
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

// startMailbox returns the URL of the mail server, and starts one that keeps mails if the settings name none.
func (s *Stack) startMailbox(ctx context.Context, c Config) (string, error) {
	if c.SMTPURL != "" {
		return c.SMTPURL, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("start the in-memory mail server: %w", err)
	}
	s.Mails = &mailbox.Box{}
	s.start(ctx, "mails", func(ctx context.Context) error { return s.Mails.Serve(ctx, l) })
	s.URLs["mails"] = s.URLs["traces"] + "/mails"
	return "smtp://" + l.Addr().String() + "?tls=none", nil
}

// startServices starts the page of traces and the four services, the frontend
// last, so that it is the first to stop.
func (s *Stack) startServices(ctx context.Context, ports listeners, db *database, redis string) {
	c, issuer := s.Config, s.URLs["auth"]
	jwks := issuer + "/.well-known/jwks.json"
	exporter, traceURL := s.startTraces(ctx, ports["traces"])
	log := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel})
	common := func(name string) service.Config {
		o := c.Options
		o.Exporter, o.Log, o.Resource = exporter, log, []attribute.KeyValue{attribute.String("service.name", name)}
		if exporter != nil {
			o.Reader = s.Metrics.Reader()
		}
		return service.Config{Listener: ports[name], Options: o, RequestTimeout: c.RequestTimeout}
	}

	a := auth.Default()
	a.Config, a.DatabaseURL, a.Issuer, a.Audience = common("auth"), db.auth, issuer, audience
	a.KeysSecret, a.InternalAPIKey, a.ConsentURL = c.KeysSecret, c.InternalAPIKey, s.URLs["frontend"]+"/authorize"
	a.AccessTokenTTL, a.BcryptCost = c.AccessTokenTTL, c.BcryptCost
	a.SMTPURL, a.MailFrom, a.ProductURL = c.SMTPURL, c.MailFrom, s.URLs["product"]
	s.start(ctx, "auth", func(ctx context.Context) error { return auth.Run(ctx, a) })

	p := product.Default()
	p.Config, p.DatabaseURL, p.RedisURL = common("product"), db.product, redis
	p.JWKSURL, p.Issuer, p.Audience = jwks, issuer, audience
	s.start(ctx, "product", func(ctx context.Context) error { return product.Run(ctx, p) })

	r := recommendation.Default()
	r.Config, r.DatabaseURL = common("recommendation"), db.recommendation
	r.JWKSURL, r.Issuer, r.Audience = jwks, issuer, audience
	s.start(ctx, "recommendation", func(ctx context.Context) error { return recommendation.Run(ctx, r) })

	f := frontend.Default()
	f.Config, f.AuthURL, f.Issuer, f.Audience = common("frontend"), issuer, issuer, audience
	f.ProductURL, f.RecommendationURL = s.URLs["product"], s.URLs["recommendation"]
	f.InternalAPIKey, f.DevReload, f.TraceURLTemplate = c.InternalAPIKey, c.DevReload, traceURL
	f.PageTimeout = c.PageTimeout
	s.start(ctx, "frontend", func(ctx context.Context) error { return frontend.Run(ctx, f) })
}

// startTraces returns where spans go besides the settings' endpoint, to the page
// of traces, which it starts, if there is none, and where trace {id} is shown. The
// page of mails is at the same address.
func (s *Stack) startTraces(ctx context.Context, l net.Listener) (_ sdktrace.SpanExporter, traceURL string) {
	var exporter sdktrace.SpanExporter
	var pages http.Handler
	if url, err := s.Config.Traces(); url == "" && err == nil { // the services report the error
		exporter, traceURL = s.Traces, s.URLs["traces"]+"/trace/{id}"
		pages = traces.Handler(s.Traces, s.Metrics, s.Mails)
		s.start(ctx, "metrics", s.Metrics.Run)
	} else {
		traceURL = s.Config.TraceURLTemplate
		delete(s.URLs, "traces")
		if s.Mails == nil {
			_ = l.Close() // nothing was served on it yet
			return nil, traceURL
		}
		pages = traces.MailHandler(s.Mails)
	}
	s.start(ctx, "traces", func(ctx context.Context) error {
		return web.Serve(ctx, l, pages, telemetry.Discard().Log, 0)
	})
	return exporter, traceURL
}

// start runs a part until it is stopped. ctx does not stop it: a stack stops in
// order, see Stop.
func (s *Stack) start(ctx context.Context, name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &part{name: name, cancel: cancel, done: make(chan struct{})}
	s.parts = append(s.parts, p)
	go func() {
		defer close(p.done)
		err := run(ctx)
		switch {
		case ctx.Err() == nil:
			s.ended <- errors.Join(fmt.Errorf("%s ended by itself", name), err)
		case err != nil:
			p.err = fmt.Errorf("stop %s: %w", name, err)
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
	p.cancel()
	<-p.done
	return p.err
}

// awaitReady returns once every service says that it is ready, or one of them
// has ended.
func (s *Stack) awaitReady(ctx context.Context, progress func(string)) error {
	ticker, slow := time.NewTicker(20*time.Millisecond), time.NewTicker(slowStart)
	defer ticker.Stop()
	defer slow.Stop()
	for _, name := range []string{"auth", "product", "recommendation", "frontend"} {
		for service.Probe(ctx, s.URLs[name]+"/readyz") != nil {
			select {
			case err := <-s.ended:
				return err
			case <-ctx.Done():
				return ctx.Err()
			case <-slow.C:
				progress(fmt.Sprintf("waiting for %s: see %s/readyz", name, s.URLs[name]))
			case <-ticker.C:
			}
		}
	}
	return nil
}

// dataFolder is where the private database lives.
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
		// As root, PostgreSQL's own user must get in; secrets are in closed folders.
		err = os.MkdirAll(dir, 0o755) //nolint:gosec // see above
	}
	if err != nil {
		return "", fmt.Errorf("the data folder cannot be used: choose another with STACK_DATA (%w)", err)
	}
	return dir, nil
}
