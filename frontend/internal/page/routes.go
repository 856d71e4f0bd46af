// Package page is every URL of the site. A handler fetches what a page shows,
// all at once, translates it into view models and renders; the view package has
// the HTML. Each part of the site is a small struct of handlers around what all of
// them share, which is in site.go.
package page

import (
	"cmp"
	"crypto/rand"
	_ "embed"
	"net/http"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/card"
	"craftista/frontend/internal/pagecache"
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

// Parts are what the site is made of.
type Parts struct {
	Services  backend.Services
	Sessions  *session.Manager
	Assets    *static.Assets
	Cards     *card.Cards
	Self      health.Service
	Telemetry *telemetry.Telemetry
}

// Settings are what a deployment chooses.
type Settings struct {
	DevReload        bool             // pages reload themselves when the process restarts or an asset changes
	Secure           bool             // people reach the site by https
	TraceURLTemplate string           // {id} stands for the trace; "" links no trace
	PublicURL        string           // where people reach the site, such as https://origami.example; "" is not known
	Now              func() time.Time // whose UTC date is today; nil is time.Now
	CacheTTL         time.Duration    // how long visitors share a page; 0 is not at all
	MaxListeners     int              // of the live counts at once; 0 is 4000; fewer if descriptors are few
}

// Routes is the site. It is ready whenever it answers: a service that is
// unavailable costs a section of a page, and taking the site down for it would cost
// the rest too, so /readyz checks nothing.
func Routes(parts Parts, settings Settings) *web.Router {
	if settings.Now == nil {
		settings.Now = time.Now
	}
	s := &site{sessions: parts.Sessions, assets: parts.Assets, cards: parts.Cards, settings: settings,
		pageTimeout: parts.Services.PageTimeout}
	r := web.NewRouter(parts.Telemetry, s.fail)
	r.Use(compress, s.headers, withoutSlash(r), s.sameOrigin, s.sessions.Middleware)
	r.GetTimeout = parts.Services.PageTimeout
	s.pages(r, parts)
	s.signedInPages(r, parts.Services.Auth, parts.Services.Catalogue)
	s.forClients(r, parts)
	return r
}

// pages are for everybody.
func (s *site) pages(r *web.Router, parts Parts) {
	services := parts.Services
	gallery := gallery{
		s, services, pagecache.New(s.settings.CacheTTL, maxPages), pagecache.NewValues[listed](s.settings.CacheTTL, maxPages),
		pagecache.NewValues[backend.Daily](s.settings.CacheTTL, 1),
		pagecache.NewValues[[]backend.Pick](picksTTL*s.settings.CacheTTL, maxPickers),
	}
	r.Get("/", gallery.forVisitors(gallery.show))
	r.Get("/recommendations", gallery.showPicks)
	r.Get("/origamis/{id}", productPage{s, services}.show)
	votes := votes{s, services.Catalogue}
	r.Post("/origamis/{id}/vote", votes.vote)
	r.Post("/origamis/{id}/unvote", votes.unvote)
	r.MaxListeners = cmp.Or(s.settings.MaxListeners, maxListeners)
	r.Stream(livePath, liveRetry, liveCounts{services.Live}.open)
	daily := dailyPage{s, services}
	r.Get(dailyPath, daily.show)
	r.Get(feedPath, daily.feed)
	r.Get("/sitemap.xml", gallery.forVisitors(gallery.sitemap))
	r.Get(privacyPath, s.privacy)
	r.Get("/status", statusPage{s, services, parts.Self, parts.Telemetry}.show)

	sign := signForms{s, services.Auth, services.Catalogue}
	r.Get("/login", sign.blank(loginForm))
	r.Post("/login", sign.login)
	r.Get("/register", sign.blank(registerForm))
	r.Post("/register", sign.register)
	r.Post("/logout", s.signOut)
	recovery := recovery{s, services.Auth}
	r.Get("/forgot", recovery.forgot)
	r.Post("/forgot", recovery.sendLink)
	r.Get("/reset", recovery.reset)
	r.Post("/reset", recovery.setPassword)
	r.Get("/confirm", recovery.confirm)
	r.Post("/confirm", recovery.confirmAddress)
	consent := consent{s, services.Auth}
	r.Get(consentPath, consent.ask)
	r.Post(consentPath, consent.decide)
}

// signedInPages are for people who are signed in, some of them only for a role.
func (s *site) signedInPages(r *web.Router, auth backend.Auth, catalogue backend.Catalogue) {
	account := account{s, auth, catalogue}
	r.Get("/account", s.forPerson(account.show))
	r.Get("/account/votes", s.forPerson(account.votes))
	r.Post("/account/password", s.forPerson(account.changePassword))
	r.Get("/account/export", s.forPerson(account.export))
	r.Get("/account/delete", s.forPerson(account.askDeletion))
	r.Post("/account/delete", s.forPerson(account.delete))
	r.Post("/account/email", s.forPerson(account.changeEmail))
	r.Post("/account/email/verification", s.forPerson(account.sendVerification))
	r.Post("/account/sessions/{id}/end", s.forPerson(account.endSession))
	r.Post("/account/sessions/end-others", s.forPerson(account.endOthers))
	r.Post("/account/sessions/end-all", s.forPerson(account.endAll))

	people := people{s, auth}
	r.Get("/admin", s.forRoles(s.admin, token.RoleCurator, token.RoleAdmin))
	r.Get("/admin/people", s.forRoles(people.list, token.RoleAdmin))
	r.Post("/admin/people/{id}/role", s.forRoles(people.setRole, token.RoleAdmin))
	r.Post("/admin/people/{id}/disabled", s.forRoles(people.setDisabled, token.RoleAdmin))
	r.Post("/admin/people/{id}/reset", s.forRoles(people.sendReset, token.RoleAdmin))

	products := adminProducts{s, catalogue}
	r.Get(productListPath, s.forCurators(products.list))
	r.Get(productListPath+"/new", s.forCurators(products.new))
	r.PostUpload(productListPath+"/new", products.preservingInput(products.add))
	r.Get(productListPath+"/{id}/edit", s.forCurators(products.edit))
	r.PostUpload(productListPath+"/{id}/edit", products.preservingInput(products.save))
	r.Get(productListPath+"/{id}/delete", s.forCurators(products.confirmRemoval))
	r.Post(productListPath+"/{id}/delete", s.forCurators(products.remove))
}

// forClients are addresses that no person reads: JSON, files, pictures.
func (s *site) forClients(r *web.Router, parts Parts) {
	scripts := scripts{parts.Services}
	r.Get("/api/products", scripts.products)
	r.Get("/api/origamis/{id}/votes", scripts.votes)
	r.Post("/api/origamis/{id}/vote", scripts.vote)
	r.Get("/api/service-status", scripts.serviceStatus)
	r.Get("/daily-origami", scripts.daily)
	r.Get("/recommendation-status", replyState("recommendations", parts.Services.Recommendation.Ready))
	r.Get("/votingservice-status", replyState("voting", parts.Services.Catalogue.Ready))
	r.Get("/auth/status", scripts.authStatus)
	parts.Self.Routes(r)
	openapi.Routes(r, spec)

	r.Get(static.Prefix+"{file}", s.assets.Serve)
	r.Get(static.Prefix+"{folder}/{file}", s.assets.Serve)
	r.Get(siteImages+"{name}", images{parts.Services.Catalogue}.show)
	r.Get("/favicon.ico", s.assets.Icon)
	r.Get("/robots.txt", s.robots)
	r.Get("/.well-known/change-password", toChangePassword)
	if s.settings.DevReload {
		r.Stream(reloadPath, reloadRetry, devReload{rand.Text(), s.assets}.open)
	}
	r.GetTimeout = cardTimeout // a drawing may take longer than a page
	r.Get(cardPrefix+"{file}", cards{s, parts.Services.Catalogue}.show)
}

// robots answers GET /robots.txt: pages are for everybody, also those with a
// form, whose addresses carry where they lead to; a person's own are nobody else's,
// and JSON is for programs.
func (s *site) robots(w http.ResponseWriter, r *http.Request) error {
	rules := "User-agent: *\nDisallow: /account\nDisallow: /admin\nDisallow: /api/\n"
	if address := s.absolute(r, "/sitemap.xml"); address != "" {
		rules += "Sitemap: " + address + "\n"
	}
	web.ReplyBytes(w, r, "public, max-age=3600", "text/plain; charset=utf-8", []byte(rules))
	return nil
}
