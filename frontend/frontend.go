// Package frontend is the site: the only service that answers with HTML. It stores
// no data; it shows what the other three have and keeps the session's cookies.
package frontend

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/card"
	"craftista/frontend/internal/page"
	"craftista/frontend/internal/session"
	"craftista/frontend/static"
	"craftista/shared/build"
	"craftista/shared/health"
	"craftista/shared/service"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/web"
)

// Config are the frontend's settings.
type Config struct {
	service.Config

	AuthURL           string `env:"AUTH_URL"`
	ProductURL        string `env:"PRODUCT_URL"`
	RecommendationURL string `env:"RECOMMENDATION_URL"`
	Issuer            string `env:"ISSUER"`   // iss of the tokens, auth's own URL
	Audience          string `env:"AUDIENCE"` // aud of the tokens
	InternalAPIKey    string `env:"INTERNAL_API_KEY,required,notEmpty"`
	CookieSecure      bool   `env:"COOKIE_SECURE"`      // true when people reach the site by https
	DevReload         bool   `env:"DEV_RELOAD"`         // assets come from disk, and pages reload by themselves
	TraceURLTemplate  string `env:"TRACE_URL_TEMPLATE"` // such as http://localhost:16686/trace/{id}; "" links none

	// PageTimeout is how long a page waits for the services, in all. Then it is sent
	// without what is missing.
	PageTimeout time.Duration `env:"PAGE_TIMEOUT"`

	// PublicURL is where people reach the site, such as https://origami.example; with
	// "" pages have no absolute address outside localhost.
	PublicURL string `env:"PUBLIC_URL"`
}

// Default are the settings for a laptop, lacking only the internal API key.
func Default() Config {
	return Config{
		Config:            service.Config{Addr: ":3000"},
		PageTimeout:       backend.PageTimeout,
		AuthURL:           "http://localhost:8082",
		ProductURL:        "http://localhost:8000",
		RecommendationURL: "http://localhost:8080",
		Issuer:            "http://localhost:8082",
		Audience:          "craftista",
	}
}

// cacheTTL is how long visitors share a page. Its counts may be that old; live updates
// follow. Who is signed in shares nothing.
const cacheTTL = time.Second

// Run serves the site until ctx is done.
func Run(ctx context.Context, c Config) error {
	if err := checkPublicURL(c.PublicURL); err != nil {
		return err
	}
	return c.Serve(ctx, "frontend", c.site)
}

func (c Config) site(t *telemetry.Telemetry, opened *service.Closers) (*web.Router, error) {
	assets, err := static.New()
	ttl := cacheTTL
	if c.DevReload { // a page of before an edit would name assets that are gone
		assets, err = static.NewFolder(static.Folder)
		ttl = 0
	}
	if err != nil {
		return nil, err
	}
	drawings, err := static.Drawings()
	if err != nil {
		return nil, err
	}
	urls := backend.URLs{Auth: c.AuthURL, Product: c.ProductURL, Recommendation: c.RecommendationURL}
	services := backend.New(urls, c.InternalAPIKey, c.PageTimeout, t)
	opened.Run(services.Live.Run)
	fetch := web.NewHTTPClient(backend.SessionTimeout(c.PageTimeout), t)
	keys := token.NewRemoteKeys(c.AuthURL+"/.well-known/jwks.json", fetch)
	verifier := token.NewVerifier(keys, c.Issuer, c.Audience)
	return page.Routes(page.Parts{
		Services: services, Sessions: session.NewManager(verifier, services.Auth, c.CookieSecure, time.Now),
		Assets: assets, Cards: card.New(drawings), Telemetry: t,
		Self: health.Service{Name: "frontend", Description: "The origami gallery's pages.", Build: build.Current()},
	}, page.Settings{
		DevReload: c.DevReload, Secure: c.CookieSecure, TraceURLTemplate: c.TraceURLTemplate, PublicURL: c.PublicURL,
		CacheTTL: ttl,
	}), nil
}

// checkPublicURL accepts an origin, with or without a slash behind it.
func checkPublicURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" ||
		strings.TrimSuffix(text, "/") != u.Scheme+"://"+u.Host {
		return errors.New("PUBLIC_URL must be an origin such as https://origami.example")
	}
	return nil
}
