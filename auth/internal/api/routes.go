// Package api is the HTTP surface of auth.
package api

import (
	_ "embed"
	"net/http"

	"craftista/auth/internal/account"
	"craftista/auth/internal/issuer"
	"craftista/auth/internal/oidc"
	"craftista/auth/internal/session"
	"craftista/shared/health"
	"craftista/shared/openapi"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/web"
)

//go:embed openapi.json
var spec []byte

// Spec is the OpenAPI document of the routes. The caller does not change it.
func Spec() []byte { return spec }

// Dependencies are what the routes need; all of it must be set.
type Dependencies struct {
	About    health.Service
	Accounts *account.Accounts
	Recovery *account.Recovery
	// Deletions runs while the routes are served.
	Deletions *account.Deletions
	Issuer    *issuer.Issuer
	Sessions  *session.Manager
	Provider  *oidc.Provider
	// ConsentURL is the page where people decide about OAuth clients.
	ConsentURL string
	// InternalKey proves that the caller is the frontend: it registers people, sends
	// what they decide about OAuth clients, and their addresses and browsers.
	InternalKey string
}

// Routes returns every URL of auth.
func Routes(t *telemetry.Telemetry, d Dependencies) *web.Router {
	r := web.NewRouter(t, d.fail)
	o := oauth{d}
	r.Use(o.crossOrigin)
	d.About.Routes(r)
	d.About.RootRoutes(r)
	openapi.Routes(r, spec)

	verifier := d.Issuer.Verifier
	a, u := accounts{d}, admin{d}
	registrations := t.Counter("craftista.registrations", "{registration}", "People who registered, or tried to.")
	r.Post("/api/auth/register", web.Count(registrations, "success", requireKey(d.InternalKey, withBody(a.register))))
	signIns := t.Counter("craftista.sign_ins", "{sign_in}", "Sign-ins by password.")
	r.Post("/api/auth/login", web.Count(signIns, "success", withBody(a.login)))
	r.Post("/api/auth/refresh", withBody(a.refresh))
	r.Post("/api/auth/logout", withBody(a.logout))
	r.Get("/api/auth/status", a.status)
	r.Get("/api/auth/me", token.Require(verifier, a.me))
	r.Post("/api/auth/me/delete", token.Require(verifier, withBody(a.deleteMe)))
	r.Post("/api/auth/password", token.Require(verifier, withBody(a.changePassword)))
	r.Post("/api/auth/password/forgot", withBody(a.forgot))
	r.Post("/api/auth/password/reset", withBody(a.reset))
	r.Post("/api/auth/email", token.Require(verifier, withBody(a.changeEmail)))
	r.Post("/api/auth/email/confirm", withBody(a.confirmEmail))
	r.Post("/api/auth/email/verification", token.Require(verifier, a.sendVerification))

	r.Get("/api/auth/sessions", token.Require(verifier, a.listSessions))
	r.Delete("/api/auth/sessions", token.Require(verifier, a.endOtherSessions))
	r.Delete("/api/auth/sessions/{id}", token.Require(verifier, a.endSession))

	r.Get("/api/auth/users", token.RequireRole(verifier, u.list, token.RoleAdmin))
	r.Put("/api/auth/users/{id}/role", token.RequireRole(verifier, withBody(u.setRole), token.RoleAdmin))
	r.Put("/api/auth/users/{id}/disabled", token.RequireRole(verifier, withBody(u.setDisabled), token.RoleAdmin))
	r.Post("/api/auth/users/{id}/reset", token.RequireRole(verifier, u.sendReset, token.RoleAdmin))

	r.Get("/oauth2/authorize", o.authorize)
	r.Post("/oauth2/authorize", o.authorize)
	r.Post("/oauth2/consent", requireKey(d.InternalKey, withBody(o.consent)))
	r.Post("/oauth2/decision", requireKey(d.InternalKey, token.Require(verifier, withBody(o.decide))))
	r.Post("/oauth2/token", o.client(o.token))
	r.Get("/oauth2/userinfo", token.RequireScope(verifier, o.userinfo, "openid"))
	r.Post("/oauth2/userinfo", token.RequireScope(verifier, o.userinfo, "openid"))
	r.Post("/oauth2/introspect", o.client(o.introspect))
	r.Post("/oauth2/revoke", o.client(o.revoke))
	r.Get("/oauth2/logout", o.logout)
	r.Post("/oauth2/logout", o.logout)

	r.Get("/.well-known/jwks.json", o.jwks)
	r.Get("/.well-known/revoked-sessions.json", o.revokedSessions)
	r.Get("/.well-known/openid-configuration", o.configuration)
	return r
}

// withBody reads the body, which is the JSON of a T, for next.
func withBody[T any](next func(http.ResponseWriter, *http.Request, T) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := web.Decode[T](r)
		if err != nil {
			return err
		}
		return next(w, r, in)
	}
}
