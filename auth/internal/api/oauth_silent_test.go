package api_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"craftista/auth/internal/oidc"
)

// silent is the response of a request with prompt=none, for a browser that is signed
// in by that access token, "" being nobody's: the frontend asks nobody.
func (s *service) silent(t *testing.T, access string, q url.Values, redirect string) url.Values {
	t.Helper()
	q.Set("prompt", "none")
	to := s.get(t, authorizePath+"?"+q.Encode()).Header.Get("Location")
	headers := []string{"X-Internal-API-Key", internalKey}
	if access != "" {
		headers = append(headers, "Authorization", "Bearer "+access)
	}
	asked := s.postJSON(t, "/oauth2/consent", map[string]string{"query": response(t, to, consentURL).Encode()}, headers...)
	wantStatus(t, "consent", asked, http.StatusOK)
	reply := read[struct {
		RedirectTo string `json:"redirect_to"`
	}](t, asked)
	got := response(t, reply.RedirectTo, redirect)
	equal(t, "state and iss", got["state"], q["state"])
	equal(t, "iss", got.Get("iss"), s.URL)
	return got
}

// TestPromptNone also has the modules of the conformance suite that send a second
// request with prompt=none, by their names.
func TestPromptNone(t *testing.T) {
	t.Parallel()
	s, clock := startWithClock(t)
	site := s.tokens(t)
	a, other := s.client(t, allScopes), s.client(t, allScopes)
	none := func() url.Values { return set(a.request(), map[string]string{"scope": "openid email"}) }
	refused := func(name, access string, q url.Values, want string) {
		t.Helper()
		got := s.silent(t, access, q, callback)
		equal(t, name, got.Get("error"), want)
		equal(t, name, got.Has("code"), false)
	}
	refused("oidcc-prompt-none-not-logged-in", "", none(), "login_required")
	refused("a bad token", "x", none(), "login_required")
	refused("never asked", site.Access, none(), "consent_required")
	s.code(t, site.Access, none())
	refused("a code that is not exchanged", site.Access, none(), "consent_required")
	s.decided(t, site.Access, none(), false)
	refused("denied", site.Access, none(), "consent_required")

	first := s.grant(t, site.Access, a, "openid profile email")
	clock.advance(time.Hour)
	for name, change := range map[string]map[string]string{
		"oidcc-prompt-none-logged-in": {}, "oidcc-id-token-hint": {"id_token_hint": first.ID},
		"oidcc-max-age-10000": {"max_age": "10000"},
	} {
		again := s.exchange(t, a, codeGrant(s.silent(t, site.Access, set(none(), change), callback).Get("code")))
		got, want := claimsOf(t, again.ID).claims, claimsOf(t, first.ID).claims
		equal(t, name, got["sub"], want["sub"])
		equal(t, name, got["auth_time"], want["auth_time"])
		equal(t, name, got["nonce"], want["nonce"])
		equal(t, name, again.Scope, "openid email")
	}
	refused("more than was approved", site.Access, set(none(), map[string]string{"scope": allScopes}), "consent_required")
	refused("another client", site.Access, set(none(), map[string]string{"client_id": other.ID}), "consent_required")
	refused("an old sign-in", site.Access, set(none(), map[string]string{"max_age": "60"}), "login_required")
	refused("another sign-in", s.signIn(t), none(), "consent_required")
	refused("the application itself", first.Access, none(), "login_required")
	refused("a made-up hint", site.Access, set(none(), map[string]string{"id_token_hint": "x"}), "login_required")
	s.register(t, "Fox", "fox@example.com", password)
	fox := read[tokens](t, s.login(t, "Fox", password)).Access
	refused("another person's hint", fox, set(none(), map[string]string{"id_token_hint": first.ID}), "login_required")

	s.get(t, "/oauth2/logout?id_token_hint="+first.ID)
	refused("signed out of the application", site.Access, none(), "consent_required")
	s.grant(t, site.Access, a, "openid email")
	s.logout(t, site.Refresh)
	refused("signed out", site.Access, none(), "login_required")
}

// TestProgramsOfThisMachineAlwaysAsk is RFC 8252 section 8.6: any program can say that
// it is a public client which comes back to this machine.
func TestProgramsOfThisMachineAlwaysAsk(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	access := s.signIn(t)
	const local, page = "http://127.0.0.1:49152/back", "https://app.example/page"
	a := s.addClient(t, oidc.Registration{Public: true, Scope: allScopes, Redirects: []string{local, page}})
	for uri, want := range map[string]string{local: "consent_required", page: ""} {
		q := set(a.request(), map[string]string{"redirect_uri": uri})
		code := response(t, read[map[string]string](t, s.decide(t, access, q, true))["redirect_to"], uri).Get("code")
		form := set(codeGrant(code), map[string]string{"redirect_uri": uri, "client_id": a.ID})
		wantStatus(t, uri, s.post(t, tokenPath, app{}, form), http.StatusOK)
		got := s.silent(t, access, q, uri)
		equal(t, uri, got.Get("error"), want)
		equal(t, uri, got.Has("code"), want == "")
	}
}
