// Package product is the catalogue service: the gallery's products and the votes
// for them. PostgreSQL is the source of truth; Redis is a cache in front of it.
package product

import (
	"cmp"
	"context"
	"time"

	"craftista/product/internal/api"
	"craftista/product/internal/core"
	"craftista/product/internal/infrastructure/cache"
	"craftista/product/internal/infrastructure/postgres"
	"craftista/product/internal/infrastructure/pubsub"
	"craftista/shared/build"
	"craftista/shared/health"
	"craftista/shared/pg"
	"craftista/shared/service"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/web"

	"github.com/jmoiron/sqlx"
)

// Config are the service's settings. Default has all but DatabaseURL.
type Config struct {
	service.Config
	DatabaseURL  string        `env:"DATABASE_URL,required,notEmpty"` // signs in as the role craftista_product
	RedisURL     string        `env:"REDIS_URL"`                      // redis://host:port/0; "" serves without a cache
	RedisTimeout time.Duration `env:"REDIS_TIMEOUT"`                  // of one command; then it goes without
	JWKSURL      string        `env:"JWKS_URL"`                       // where auth publishes its keys
	Issuer       string        `env:"ISSUER"`                         // the iss of the tokens to accept
	Audience     string        `env:"AUDIENCE"`                       // the aud of the tokens to accept
	ReadInterval time.Duration // of live counts, see core.CountBroadcaster; 0 is the usual one
}

// Default are the settings that suit a laptop where all services have their
// usual ports.
func Default() Config {
	return Config{
		Config:       service.Config{Addr: ":8000"},
		RedisTimeout: 200 * time.Millisecond,
		JWKSURL:      "http://localhost:8082/.well-known/jwks.json",
		Issuer:       "http://localhost:8082",
		Audience:     "craftista",
	}
}

// Run serves until ctx is done, then lets the requests in flight finish and
// closes the cache, the database and the telemetry. It waits for none of the
// processes it talks to: until the database answers, it is not ready.
func Run(ctx context.Context, c Config) error {
	return c.Serve(ctx, "product", c.open)
}

// open opens all that the service needs, each with its closer, and returns what
// it serves.
func (c Config) open(t *telemetry.Telemetry, opened *service.Closers) (*web.Router, error) {
	db, err := pg.Open(c.DatabaseURL, t)
	if err != nil {
		return nil, err
	}
	opened.Add(db.Close)
	store := postgres.NewStore(db)
	broadcaster := core.NewCountBroadcaster(store, t.Log)
	broadcaster.ReadInterval = cmp.Or(c.ReadInterval, broadcaster.ReadInterval)
	optional := map[string]health.Check{"schema": store.Current}
	cached, err := openCache(c, db, t, opened, optional)
	if err != nil {
		return nil, err
	}
	notifyChanged, err := runBroadcaster(c, broadcaster, opened)
	if err != nil {
		return nil, err
	}
	keys := token.NewRemoteKeys(c.JWKSURL, web.NewHTTPClient(web.RequestTimeout, t))
	tracer := t.Traces.Tracer("craftista/product")
	catalogue := core.NewCatalogue(store, cached, api.Encode, tracer, notifyChanged)
	return api.Routes(t, catalogue, broadcaster, token.NewVerifier(keys, c.Issuer, c.Audience), health.Service{
		Name: "product", Description: "The pieces of the Craftista gallery and the votes for them.", Build: build.Current(),
		// Readiness is the database alone. Without Redis everything works, slower; without auth's keys
		// reads work and only votes wait: neither is a reason to take the catalogue out of service.
		Checks: map[string]health.Check{"database": store.Ready}, Optional: optional,
	}), nil
}

// openCache returns the cache, or none where none is set, and adds the health
// check that tells whether it can be used.
func openCache(
	c Config, db *sqlx.DB, t *telemetry.Telemetry, opened *service.Closers, optional map[string]health.Check,
) (core.Cache, error) {
	if c.RedisURL == "" {
		t.Log.Info("serving without a cache, REDIS_URL is empty")
		return core.NoCache{}, nil
	}
	cached, err := cache.Open(cache.Options{
		RedisURL: c.RedisURL, RedisTimeout: c.RedisTimeout, DatabaseURL: c.DatabaseURL, DB: db, Telemetry: t,
	})
	if err != nil {
		return nil, err
	}
	opened.Add(cached.Close)
	optional["cache"] = cached.Ready
	return cached, nil
}

// runBroadcaster runs the broadcaster and, if Redis is configured, pub/sub with the
// other replicas. Call notifyChanged after each change of a count.
func runBroadcaster(
	c Config, broadcaster *core.CountBroadcaster, opened *service.Closers,
) (notifyChanged func(), err error) {
	notifyChanged = broadcaster.Notify
	if c.RedisURL != "" {
		replicas, err := pubsub.Open(c.RedisURL, c.RedisTimeout)
		if err != nil {
			return nil, err
		}
		opened.Add(replicas.Close)
		notifyChanged = func() { broadcaster.Notify(); replicas.Publish() }
		opened.Run(replicas.Run)
		opened.Run(func(ctx context.Context) { replicas.Subscribe(ctx, broadcaster.Notify) })
	}
	opened.Run(broadcaster.Run)
	return notifyChanged, nil
}
