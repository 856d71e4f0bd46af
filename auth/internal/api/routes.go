// Package api is the HTTP surface of auth.
package api

import (
	_ "embed"

	"craftista/auth/internal/account"
	"craftista/auth/internal/oidc"
	"craftista/auth/internal/token"
	"craftista/shared/health"
	"craftista/shared/openapi"
	"craftista/shared/telemetry"
	shared "craftista/shared/token"
	"craftista/shared/web"
)

//go:embed openapi.json
var spec []byte

// Spec is the OpenAPI document of the routes. The caller does not change it.
func Spec() []byte { return spec }

// Routes returns every URL of auth. internalKey, which must not be empty, is what
// the frontend registers people with, passes on what they decide about OAuth
// clients, and is believed for about their addresses and browsers. consent is the
// URL of the page where they decide.
func Routes(
	t *telemetry.Telemetry, about health.Service, people *account.Accounts, issuer *token.Issuer, families *token.Families,
	provider *oidc.Provider, consent, internalKey string,
) *web.Router {
	r := web.NewRouter(t, web.Problem)
	about.Routes(r)
	about.RoutesJSON(r)
	openapi.Routes(r, spec)

	a, u := accounts{people: people, issuer: issuer, families: families, key: internalKey}, admin{people: people}
	r.Post("/api/auth/register", requireKey(internalKey, a.register))
	r.Post("/api/auth/login", a.login)
	r.Post("/api/auth/refresh", a.refresh)
	r.Post("/api/auth/logout", a.logout)
	r.Get("/api/auth/status", a.status)
	r.Get("/api/auth/me", shared.Require(issuer.Verifier, a.me))
	r.Post("/api/auth/password", shared.Require(issuer.Verifier, a.changePassword))

	r.Get("/api/auth/sessions", shared.Require(issuer.Verifier, a.listSessions))
	r.Delete("/api/auth/sessions", shared.Require(issuer.Verifier, a.endOthers))
	r.Delete("/api/auth/sessions/{id}", shared.Require(issuer.Verifier, a.endSession))

	r.Get("/api/auth/users", shared.RequireRole(issuer.Verifier, u.list, shared.RoleAdmin))
	r.Put("/api/auth/users/{id}/role", shared.RequireRole(issuer.Verifier, u.setRole, shared.RoleAdmin))
	r.Put("/api/auth/users/{id}/disabled", shared.RequireRole(issuer.Verifier, u.setDisabled, shared.RoleAdmin))

	o, k := oauth{provider: provider, people: people, lifetime: issuer.Lifetime, consent: consent}, wellKnown{issuer: issuer}
	r.Get("/oauth2/authorize", o.authorize)
	r.Post("/oauth2/authorize", o.authorize)
	r.Post("/oauth2/consent", requireKey(internalKey, o.describe))
	r.Post("/oauth2/decision", requireKey(internalKey, shared.Require(issuer.Verifier, o.decide)))
	r.Post("/oauth2/token", o.client(o.token))
	r.Get("/oauth2/userinfo", shared.RequireScope(issuer.Verifier, o.userinfo, "openid"))
	r.Post("/oauth2/userinfo", shared.RequireScope(issuer.Verifier, o.userinfo, "openid"))
	r.Post("/oauth2/introspect", o.client(o.introspect))
	r.Post("/oauth2/revoke", o.client(o.revoke))
	r.Get("/oauth2/logout", o.logout)
	r.Post("/oauth2/logout", o.logout)

	r.Get("/.well-known/jwks.json", k.jwks)
	r.Get("/.well-known/openid-configuration", k.configuration)
	return r
}
