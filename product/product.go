// Package product is the catalogue service: the pieces of the gallery and the
// votes for them. PostgreSQL is the truth; Redis only spares it work.
package product

import (
	"context"
	"errors"
	"sync"
	"time"

	"craftista/product/internal/api"
	"craftista/product/internal/core"
	"craftista/product/internal/infrastructure/postgres"
	"craftista/product/internal/infrastructure/redis"
	"craftista/shared/health"
	"craftista/shared/pg"
	"craftista/shared/service"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/web"

	"github.com/jmoiron/sqlx"
)

// keysTimeout bounds one fetch of auth's keys.
const keysTimeout = 2 * time.Second

// Config are the service's settings. Default has all but DatabaseURL.
type Config struct {
	service.Config
	DatabaseURL   string        `env:"DATABASE_URL,required,notEmpty"` // signs in as the role craftista_product
	RedisURL      string        `env:"REDIS_URL"`                      // redis://host:port/0; "" serves without a cache
	RedisPatience time.Duration `env:"REDIS_PATIENCE"`                 // for one command; after it a request goes on without the cache
	JWKSURL       string        `env:"JWKS_URL"`                       // where auth publishes its keys
	Issuer        string        `env:"ISSUER"`                         // the iss of the tokens to accept
	Audience      string        `env:"AUDIENCE"`                       // the aud of the tokens to accept
}

// Default are the settings that suit a laptop where all services have their
// usual ports.
func Default() Config {
	return Config{
		Config:        service.Config{Addr: ":8000", Version: "dev"},
		RedisPatience: 200 * time.Millisecond,
		JWKSURL:       "http://localhost:8082/.well-known/jwks.json",
		Issuer:        "http://localhost:8082",
		Audience:      "craftista",
	}
}

// Run serves until ctx is done, then lets the requests in flight finish and
// closes the database, the cache and the telemetry. It waits for none of the
// processes it talks to: until the database answers, it is not ready.
func Run(ctx context.Context, c Config) error {
	t, err := c.Telemetry(ctx, "product")
	if err != nil {
		return err
	}
	db, err := pg.Open(c.DatabaseURL, t)
	if err != nil {
		return errors.Join(err, t.Shutdown(ctx))
	}
	closeDB := func(context.Context) error { return db.Close() }
	store := postgres.NewStore(db)
	live := core.NewLive(store, api.EncodeTally, t.Log)
	cache, informs, closeCache, err := openCache(c, db, t)
	if err != nil {
		return errors.Join(err, closeDB(ctx), t.Shutdown(ctx))
	}
	stopLive, err := runLive(ctx, c, live)
	if err != nil {
		return errors.Join(err, closeDB(ctx), closeCache(ctx), t.Shutdown(ctx))
	}
	l, err := c.Listen()
	if err != nil {
		return errors.Join(err, stopLive(ctx), closeDB(ctx), closeCache(ctx), t.Shutdown(ctx))
	}
	keys := token.NewRemoteKeys(c.JWKSURL, web.NewHTTPClient(keysTimeout, t))
	catalogue := core.NewCatalogue(store, cache, api.Encode, newTracer(t), live.Change)
	routes := api.Routes(t, catalogue, live, token.NewVerifier(keys, c.Issuer, c.Audience), health.Service{
		Name: "product", Description: "The pieces of the Craftista gallery and the votes for them.", Version: c.Version,
		// Readiness is the database alone. Without Redis everything works, slower; without auth's keys
		// reads work and only votes wait: neither is a reason to take the catalogue out of service.
		Checks: map[string]health.Check{"database": store.Ready}, Informs: informs,
	})
	return web.Serve(ctx, l, routes, t.Log, stopLive, closeCache, closeDB, t.Shutdown) // closing the cache, loads may still use the database
}

// openCache returns the cache, or none where none is set, whether it is there,
// and what closes it and all that it needs but db.
func openCache(c Config, db *sqlx.DB, t *telemetry.Telemetry) (core.Cache, map[string]health.Check, func(context.Context) error, error) {
	if c.RedisURL == "" {
		t.Log.Info("serving without a cache, REDIS_URL is empty")
		return core.NoCache{}, nil, func(context.Context) error { return nil }, nil
	}
	register, err := postgres.OpenRegister(c.DatabaseURL, db, t)
	if err != nil {
		return nil, nil, nil, err
	}
	trust := core.NewTrust(register, core.VetoTerm, t.Log)
	closeTrust := func() error {
		trust.Close()
		return register.Close()
	}
	cache, err := redis.Open(c.RedisURL, c.RedisPatience, trust, t)
	if err != nil {
		return nil, nil, nil, errors.Join(err, closeTrust())
	}
	closeAll := func(context.Context) error { return errors.Join(cache.Close(), closeTrust()) }
	return cache, map[string]health.Check{"cache": cache.Ready}, closeAll, nil
}

// runLive runs live, with a bell between it and other replicas where a Redis is
// set, and returns what stops it. It outlasts ctx: requests that finish late
// change votes too.
func runLive(ctx context.Context, c Config, live *core.Live) (stop func(context.Context) error, err error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	closeBell := func() error { return nil }
	if c.RedisURL != "" {
		bell, err := redis.OpenBell(c.RedisURL, c.RedisPatience)
		if err != nil {
			cancel()
			return nil, err
		}
		closeBell = bell.Close
		running.Go(func() { bell.Ring(ctx, live.Changes()) })
		running.Go(func() { bell.Hear(ctx, live.Nudge) })
	}
	running.Go(func() { live.Run(ctx) })
	return func(context.Context) error {
		cancel()
		running.Wait()
		return closeBell()
	}, nil
}
