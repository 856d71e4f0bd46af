// Package page is every URL of the site. A handler fetches what a page shows,
// all at once, translates it into view models and renders; the view package has
// the HTML.
package page

import (
	"cmp"
	"crypto/rand"
	_ "embed"
	"net/http"
	"sync/atomic"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/card"
	"craftista/frontend/internal/session"
	"craftista/frontend/static"
	"craftista/shared/health"
	"craftista/shared/openapi"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/web"
)

//go:embed openapi.json
var spec []byte

// livePath is where pages listen for counts, see live.
const livePath = "/live"

// Settings are what a deployment chooses.
type Settings struct {
	DevReload        bool             // pages reload themselves when the process restarts
	Secure           bool             // people reach the site by https
	TraceURLTemplate string           // {id} stands for the trace; "" links no trace
	PublicURL        string           // where people reach the site, such as https://origami.example; "" is not known
	Now              func() time.Time // whose UTC date is today; nil is time.Now
	CacheTTL         time.Duration    // how long visitors share what they look at; 0 is not at all
	MaxListeners     int64            // of the live counts at once; 0 is 4000
}

// site is what the handlers share.
type site struct {
	services  backend.Services
	sessions  *session.Keeper
	assets    *static.Assets
	cards     *card.Cards
	self      health.Service
	telemetry *telemetry.Telemetry
	settings  Settings
	caches    caches
	processID string // new at each start, see reload
	listeners atomic.Int64
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
	settings.MaxListeners = cmp.Or(settings.MaxListeners, maxListeners)
	s := &site{
		services: services, sessions: sessions, assets: assets, cards: cards, self: self, telemetry: t, settings: settings,
		caches: newCaches(settings.CacheTTL), processID: rand.Text(),
	}
	r := web.NewRouter(t, s.fail)
	r.Use(compress, s.headers, s.sameOrigin, s.sessions.Middleware)
	r.GetTimeout = backend.ReadTimeout

	r.Get("/", s.shared(s.gallery))
	r.Get("/recommendations", s.picks)
	r.Stream(livePath, liveRetry, s.live)
	r.Get(dailyPath, s.daily)
	r.Get("/origamis/{id}", s.product)
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

	r.Get("/account", s.forPerson(s.account))
	r.Get("/account/votes", s.forPerson(s.myVotes))
	r.Post("/account/password", s.forPerson(s.changePassword))
	r.Post("/account/sessions/{id}/end", s.forPerson(s.endSession))
	r.Post("/account/sessions/end-others", s.forPerson(s.endOthers))
	r.Post("/account/sessions/end-all", s.forPerson(s.endAll))
	r.Get("/admin", s.forRoles(s.admin, token.RoleCurator, token.RoleAdmin))
	r.Get(productListPath, s.forCurators(s.productList))
	r.Get(productListPath+"/new", s.forCurators(s.newProduct))
	r.Post(productListPath+"/new", s.keepingForms(s.addProduct))
	r.Get(productListPath+"/{id}/edit", s.forCurators(s.editProduct))
	r.Post(productListPath+"/{id}/edit", s.keepingForms(s.saveProduct))
	r.Get(productListPath+"/{id}/delete", s.forCurators(s.removal))
	r.Post(productListPath+"/{id}/delete", s.forCurators(s.remove))
	r.Get("/admin/people", s.forRoles(s.people, token.RoleAdmin))
	r.Post("/admin/people/{id}/role", s.forRoles(s.setRole, token.RoleAdmin))
	r.Post("/admin/people/{id}/disabled", s.forRoles(s.setDisabled, token.RoleAdmin))

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
	r.Get(cardPrefix+"{file}", s.socialCard)
	r.Get("/favicon.ico", assets.Icon)
	r.Get("/robots.txt", s.robots)
	if settings.DevReload {
		r.Stream(reloadPath, reloadRetry, s.reload)
	}
	return r
}

// robots answers GET /robots.txt: pages are for everybody, also those with a
// form, whose addresses carry where they lead to; a person's own are nobody else's,
// and JSON is for programs.
func (s *site) robots(w http.ResponseWriter, r *http.Request) error {
	const rules = "User-agent: *\nDisallow: /account\nDisallow: /admin\nDisallow: /api/\n"
	web.ReplyBytes(w, r, "public, max-age=3600", "text/plain; charset=utf-8", []byte(rules))
	return nil
}
