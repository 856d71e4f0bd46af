// Package local runs the whole of Craftista inside one process.
package local

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"craftista/auth"
	"craftista/db"
	"craftista/frontend"
	"craftista/shared/telemetry"
)

// Config are the stack's settings. Every one has a default that works.
type Config struct {
	FrontendAddr       string `env:"FRONTEND_ADDR"` // host:port, like the other four
	AuthAddr           string `env:"AUTH_ADDR"`
	ProductAddr        string `env:"PRODUCT_ADDR"`
	RecommendationAddr string `env:"RECOMMENDATION_ADDR"`
	TracesAddr         string `env:"TRACES_ADDR"`

	Data             string        `env:"STACK_DATA"`         // "" is craftista in the user's cache folder
	Seed             bool          `env:"STACK_SEED"`         // demo accounts, products and votes
	DatabaseURL      string        `env:"DATABASE_URL"`       // a superuser's; "" runs a private PostgreSQL
	RedisURL         string        `env:"REDIS_URL"`          // "" runs an in-memory Redis
	TraceURLTemplate string        `env:"TRACE_URL_TEMPLATE"` // page of the trace {id} if traces are sent elsewhere
	InternalAPIKey   string        `env:"INTERNAL_API_KEY"`   // registers people; "" makes one for each start
	KeysSecret       string        `env:"KEYS_SECRET"`        // encrypts the signing keys; no secret unless it is set
	AccessTokenTTL   time.Duration `env:"ACCESS_TOKEN_TTL"`
	BcryptCost       int           `env:"BCRYPT_COST"`
	SMTPURL          string        `env:"SMTP_URL"` // "" keeps mails in memory and shows them
	MailFrom         string        `env:"MAIL_FROM"`
	PageTimeout      time.Duration `env:"PAGE_TIMEOUT"` // of the site's pages
	DevReload        bool          `env:"DEV_RELOAD"`   // assets come from disk, and open pages reload
	// Options are those of all services. With an endpoint of traces these are sent there, and else stored in memory and
	// shown.
	telemetry.Options

	Passwords      db.Passwords  // of the service roles; zero follows from the superuser's
	RequestTimeout time.Duration // of the services; 0 is the usual one
}

// Default are the settings of a laptop.
func Default() Config {
	return Config{
		FrontendAddr: "localhost:3000", AuthAddr: "localhost:8082", ProductAddr: "localhost:8000",
		RecommendationAddr: "localhost:8080", TracesAddr: "localhost:16686",
		Seed: true, Options: telemetry.Options{LogLevel: slog.LevelWarn},
		AccessTokenTTL: auth.Default().AccessTokenTTL, BcryptCost: auth.Default().BcryptCost,
		MailFrom: auth.Default().MailFrom, KeysSecret: "cranes folded on this machine",
		PageTimeout: frontend.Default().PageTimeout,
	}
}

// listeners are the open ports by name.
type listeners map[string]net.Listener

// listen opens every port before anything else starts, and reports all that are
// taken.
func (c Config) listen() (listeners, error) {
	open, all := listeners{}, error(nil)
	for _, p := range []struct{ name, addr, setting string }{
		{"frontend", c.FrontendAddr, "FRONTEND_ADDR"},
		{"auth", c.AuthAddr, "AUTH_ADDR"},
		{"product", c.ProductAddr, "PRODUCT_ADDR"},
		{"recommendation", c.RecommendationAddr, "RECOMMENDATION_ADDR"},
		{"traces", c.TracesAddr, "TRACES_ADDR"},
	} {
		l, err := net.Listen("tcp", p.addr)
		if err != nil {
			all = errors.Join(all, fmt.Errorf("%s=%s cannot be listened on, %s=localhost:0 picks a free port (%w)",
				p.setting, p.addr, p.setting, err))
			continue
		}
		open[p.name] = l
	}
	if all != nil {
		open.close()
		return nil, all
	}
	return open, nil
}

func (l listeners) close() {
	for _, open := range l {
		_ = open.Close() // nothing was served on it yet
	}
}

// url is where a browser on this machine finds the listener.
func (l listeners) url(name string) string {
	host, port, err := net.SplitHostPort(l[name].Addr().String())
	if ip := net.ParseIP(host); err == nil && ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
