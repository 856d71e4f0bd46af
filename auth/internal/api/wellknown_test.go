package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
	want := map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "e": "AQAB", "n": key["n"], "kid": base64.RawURLEncoding.EncodeToString(sum[:]),
	}
	if diff := cmp.Diff(key, want); diff != "" {
		t.Errorf("key (-got +want):\n%s", diff)
	}
}

// TestDiscoveryIsTrue walks the document: it has these members and no other, and every
// URL in it is of this service and leads somewhere.
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
		"claims_supported":                      []any{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "preferred_username", "email"},
		"request_parameter_supported":           false, "request_uri_parameter_supported": false,
		"authorization_response_iss_parameter_supported": true,
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("document (-got +want):\n%s", diff)
	}
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
