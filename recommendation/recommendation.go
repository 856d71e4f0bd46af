// Package recommendation is the service that picks: one origami for everyone each day, and some for each person.
package recommendation

import (
	"context"
	"time"

	"craftista/recommendation/internal/api"
	"craftista/recommendation/internal/postgres"
	"craftista/shared/build"
	"craftista/shared/health"
	"craftista/shared/pg"
	"craftista/shared/service"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/web"
)

// Config are the service's settings.
type Config struct {
	service.Config
	DatabaseURL string `env:"DATABASE_URL,required,notEmpty"` // postgres://craftista_recommendation:…@host/database
	JWKSURL     string `env:"JWKS_URL"`                       // where auth publishes its keys
	Issuer      string `env:"ISSUER"`                         // the iss that access tokens must have
	Audience    string `env:"AUDIENCE"`                       // the aud that access tokens must have
}

// Default are the settings of a laptop where the other services run at their default ports. DatabaseURL has no default.
func Default() Config {
	return Config{
		Config:   service.Config{Addr: ":8080"},
		JWKSURL:  "http://localhost:8082/.well-known/jwks.json",
		Issuer:   "http://localhost:8082",
		Audience: "craftista",
	}
}

// Run serves until ctx is done and stops gracefully. It neither waits for the database nor for auth: /readyz tells when
// the database is there, and anonymous requests are answered without auth.
func Run(ctx context.Context, c Config) error {
	return c.Serve(ctx, "recommendation", func(t *telemetry.Telemetry, opened *service.Closers) (*web.Router, error) {
		db, err := pg.Open(c.DatabaseURL, t)
		if err != nil {
			return nil, err
		}
		opened.Add(db.Close)
		keys := token.NewRemoteKeys(c.JWKSURL, web.NewHTTPClient(web.RequestTimeout, t))
		store := postgres.NewStore(db)
		about := health.Service{
			Name:        "recommendation",
			Description: "The origami of the day for everyone, and picks for each person.",
			Build:       build.Current(),
			Checks:      map[string]health.Check{"database": store.Ready},
			Optional:    map[string]health.Check{"schema": store.Current},
		}
		return api.Routes(t, store, token.NewVerifier(keys, c.Issuer, c.Audience), about, time.Now), nil
	})
}
