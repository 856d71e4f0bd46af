// Package page is every URL of the site. A handler fetches what a page shows,
// all at once, translates it into view models and renders; the view package has
// the HTML.
package page

import (
	"crypto/rand"
	_ "embed"
	"net/http"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/card"
	"craftista/frontend/internal/session"
	"craftista/frontend/static"
	"craftista/shared/health"
	"craftista/shared/openapi"
	"craftista/shared/telemetry"
	"craftista/shared/web"
)

//go:embed openapi.json
var spec []byte

// Settings are what a deployment chooses.
type Settings struct {
	DevReload        bool             // pages reload themselves when the process restarts
	Stopping         <-chan struct{}  // closed when the process is to stop; ends the streams of DevReload
	Secure           bool             // people reach the site by https
	TraceURLTemplate string           // {id} stands for the trace; "" links no trace
	PublicURL        string           // where people reach the site, such as https://origami.example; "" is not known
	Now              func() time.Time // whose UTC date is today; nil is time.Now
}

// site is what the handlers share.
type site struct {
	services  backend.Services
	sessions  *session.Keeper
	assets    *static.Assets
	cards     *card.Cards
	self      health.Service
	settings  Settings
	processID string // new at each start, see reload
}

// Routes is the site. It is ready whenever it answers: a backend that is away
// costs a section of a page, and taking the site down for it would cost the rest
// too, so /readyz checks nothing.
func Routes(t *telemetry.Telemetry, services backend.Services, sessions *session.Keeper, assets *static.Assets,
	cards *card.Cards, self health.Service, settings Settings,
) *web.Router {
	if settings.Now == nil {
		settings.Now = time.Now
	}
	s := &site{services: services, sessions: sessions, assets: assets, cards: cards, self: self, settings: settings, processID: rand.Text()}
	r := web.NewRouter(t, s.fail)
	r.Use(s.headers, s.sameOrigin, s.sessions.Middleware)
	if settings.DevReload {
		r.Get("/dev/reload", s.reload)
	}
	r.GetTimeout = backend.ReadTimeout

	r.Get("/", s.gallery)
	r.Get("/recommendations", s.picks)
	r.Get(dailyPath, s.daily)
	r.Get("/origamis/{id}", s.piece)
	r.Post("/origamis/{id}/vote", s.vote)
	r.Post("/origamis/{id}/unvote", s.unvote)
	r.Get("/login", s.loginPage)
	r.Post("/login", s.login)
	r.Get("/register", s.registerPage)
	r.Post("/register", s.register)
	r.Post("/logout", s.logout)
	r.Get(consentPath, s.consent)
	r.Post(consentPath, s.decide)
	r.Get("/status", s.status)

	r.Get("/api/products", s.apiProducts)
	r.Get("/api/origamis/{id}/votes", s.apiVotes)
	r.Post("/api/origamis/{id}/vote", s.apiVote)
	r.Get("/api/service-status", s.apiServiceStatus)
	r.Get("/daily-origami", s.apiDaily)
	r.Get("/recommendation-status", s.apiRecommendationStatus)
	r.Get("/votingservice-status", s.apiVotingStatus)
	r.Get("/auth/status", s.apiAuthStatus)
	self.Routes(r)
	openapi.Routes(r, spec)

	r.Get(static.Prefix+"{file}", assets.Serve)
	r.Get(static.Prefix+"{folder}/{file}", assets.Serve)
	r.Get(siteImages+"{name}", s.image)
	r.Get(cardPrefix+"{file}", s.shareCard)
	r.Get("/favicon.ico", assets.Icon)
	r.Get("/robots.txt", s.robots)
	return r
}

// robots answers GET /robots.txt: the gallery is for everybody, forms are not.
func (s *site) robots(w http.ResponseWriter, r *http.Request) error {
	const rules = "User-agent: *\nDisallow: /login\nDisallow: /register\nDisallow: /api/\n"
	web.ReplyBytes(w, r, "public, max-age=3600", "text/plain; charset=utf-8", []byte(rules))
	return nil
}
