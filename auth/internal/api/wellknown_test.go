package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"craftista/auth/internal/oidc"
	"craftista/auth/internal/throttle"
)

const (
	jwksPath          = "/.well-known/jwks.json"
	configurationPath = "/.well-known/openid-configuration"
	revokedPath       = "/.well-known/revoked-sessions.json"
)

// kids are those of the published keys.
func (s *service) kids(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, key := range read[map[string][]map[string]string](t, s.get(t, jwksPath))["keys"] {
		all = append(all, key["kid"])
	}
	return all
}

func TestJWKSHasPublicHalvesOnly(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	a := s.get(t, "/.well-known/jwks.json")
	set := read[map[string][]map[string]string](t, a)
	if len(set["keys"]) != 1 {
		t.Fatalf("keys: %s", a.Body)
	}
	key := set["keys"][0]
	modulus, err := base64.RawURLEncoding.DecodeString(key["n"])
	if err != nil || len(modulus) != 256 {
		t.Errorf("modulus of %d bytes (%v), want 256", len(modulus), err)
	}
	sum := sha256.Sum256([]byte(`{"e":"AQAB","kty":"RSA","n":"` + key["n"] + `"}`)) // RFC 7638 section 3.1
	equal(t, "key", key, map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "e": "AQAB", "n": key["n"],
		"kid": base64.RawURLEncoding.EncodeToString(sum[:]),
	})
}

// TestScriptsOfOtherOrigins checks what a browser lets a page of another origin do.
func TestScriptsOfOtherOrigins(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.publicClient(t)
	const ipv4, name = "http://127.0.0.1", "http://localhost"
	s.addClient(t, oidc.Registration{Redirects: []string{ipv4 + ":5000/back"}, Scope: allScopes, Public: true})
	s.addClient(t, oidc.Registration{Redirects: []string{name + ":6000/back"}, Scope: allScopes})
	const app, other = "https://app.example", "https://app.example.evil"
	for _, row := range []struct{ method, path, origin, allowed string }{
		{http.MethodGet, jwksPath, other, "*"},
		{http.MethodGet, configurationPath, other, "*"},
		{http.MethodPost, tokenPath, app, app},
		{http.MethodGet, userinfoPath, app, app},
		{http.MethodPost, "/oauth2/revoke", app, app},
		{http.MethodPost, tokenPath, other, ""},
		{http.MethodPost, tokenPath, "null", ""},
		{http.MethodPost, tokenPath, app + ":444", ""},
		{http.MethodPost, tokenPath, ipv4, ipv4}, // RFC 8252 section 7.3
		{http.MethodPost, tokenPath, ipv4 + ":49152", ipv4 + ":49152"},
		{http.MethodPost, tokenPath, "https://127.0.0.1:49152", ""},
		{http.MethodPost, tokenPath, ipv4 + ".evil:5000", ""},
		{http.MethodPost, tokenPath, name + ":6000", name + ":6000"},
		{http.MethodPost, tokenPath, name + ":49152", ""}, // the client has a secret, and is no page
		{http.MethodPost, "/oauth2/introspect", app, ""},  // only clients with a secret ask, and they are no pages
		{http.MethodPost, loginPath, app, ""},
		{http.MethodGet, mePath, app, ""},
	} {
		asked := []string{"Origin", row.origin, "Access-Control-Request-Method", row.method}
		for _, a := range []answer{
			s.request(t, http.MethodOptions, row.path, "", asked...), s.request(t, row.method, row.path, "{}", asked...),
		} {
			equal(t, row.method+" "+row.path+" by "+row.origin, a.Header.Get("Access-Control-Allow-Origin"), row.allowed)
			equal(t, "cookies", a.Header.Get("Access-Control-Allow-Credentials"), "")
		}
	}
	a := s.request(t, http.MethodOptions, userinfoPath, "", "Origin", app,
		"Access-Control-Request-Method", http.MethodPost, "Access-Control-Request-Headers", "authorization,content-type")
	wantStatus(t, "preflight", a, http.StatusNoContent)
	equal(t, "headers", a.Header.Get("Access-Control-Allow-Headers"), "authorization,content-type")
}

// TestRevokedSessionsAreListedByEveryReplica, for as long as their access tokens last.
func TestRevokedSessionsAreListedByEveryReplica(t *testing.T) {
	t.Parallel()
	clock, config := newClock(), replicated(t)
	config.now, config.limits = clock.now, throttle.Limits{}
	s, other := start(t, config), start(t, config)
	s.person(t)
	root := s.adminToken(t, "root") // session 1
	out, ended, mine := s.tokens(t), s.tokens(t), s.tokens(t)
	app := s.grant(t, mine.Access, s.client(t, allScopes), allScopes) // session 5
	list := func() string { return other.get(t, revokedPath).Body }
	equal(t, "nothing has ended", list(), `{"sessions":[]}`)
	s.postJSON(t, logoutPath, map[string]string{"refresh_token": out.Refresh})
	wantNoContent(t, "end", s.request(t, http.MethodDelete, sessionsPath+"/3", "", "Authorization", "Bearer "+mine.Access))
	equal(t, "signed out, ended", list(), `{"sessions":["2","3"]}`)
	s.put(t, root, "/1/disabled", `{"disabled":true}`)
	equal(t, "disabled, its application too", list(), `{"sessions":["2","3","4","5"]}`)
	for _, raw := range []string{out.Access, ended.Access, mine.Access} {
		wantProblem(t, s.getAs(t, raw, mePath), http.StatusUnauthorized, mePath, "this session has ended")
	}
	wantStatus(t, "an application", s.getAs(t, app.Access, userinfoPath), http.StatusUnauthorized)
	wantStatus(t, "somebody else", s.getAs(t, root, mePath), http.StatusOK)
	clock.advance(17 * time.Minute)
	equal(t, "later", list(), `{"sessions":[]}`)
}

// TestDiscoveryIsTrue checks that the document has these members and no other, and
// that every URL in it is of this service and exists.
func TestDiscoveryIsTrue(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	got := read[map[string]any](t, s.get(t, "/.well-known/openid-configuration"))
	want := map[string]any{
		"issuer": s.URL, "jwks_uri": s.URL + "/.well-known/jwks.json", "service_documentation": s.URL + "/docs",
		"authorization_endpoint": s.URL + "/oauth2/authorize", "token_endpoint": s.URL + "/oauth2/token",
		"userinfo_endpoint": s.URL + "/oauth2/userinfo", "introspection_endpoint": s.URL + "/oauth2/introspect",
		"revocation_endpoint": s.URL + "/oauth2/revoke", "end_session_endpoint": s.URL + "/oauth2/logout",
		"introspection_endpoint_auth_methods_supported": []any{"client_secret_basic", "client_secret_post"},
		"revocation_endpoint_auth_methods_supported":    []any{"client_secret_basic", "client_secret_post", "none"},
		"scopes_supported":         []any{"openid", "profile", "email", "votes:read", "votes:write"},
		"response_types_supported": []any{"code"}, "response_modes_supported": []any{"query"},
		"grant_types_supported":   []any{"authorization_code", "refresh_token", "client_credentials"},
		"subject_types_supported": []any{"public"}, "id_token_signing_alg_values_supported": []any{"RS256"},
		"token_endpoint_auth_methods_supported": []any{"client_secret_basic", "client_secret_post", "none"},
		"code_challenge_methods_supported":      []any{"S256"},
		"claims_supported": []any{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "preferred_username", "email",
			"email_verified",
		},
		"request_parameter_supported": false, "request_uri_parameter_supported": false,
		"authorization_response_iss_parameter_supported": true,
	}
	equal(t, "document", got, want)
	for name, value := range got {
		url, _ := value.(string)
		path, ours := strings.CutPrefix(url, s.URL)
		if !ours {
			if strings.Contains(url, "://") {
				t.Errorf("%s is elsewhere: %s", name, url)
			}
			continue
		}
		if a := s.get(t, path); a.Status == http.StatusNotFound || a.Status >= 500 {
			t.Errorf("%s: GET %s answers %d", name, url, a.Status)
		}
	}
}
