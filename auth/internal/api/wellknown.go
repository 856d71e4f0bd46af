package api

import (
	"net/http"
	"strings"

	"craftista/auth/internal/oidc"
	"craftista/shared/token"
	"craftista/shared/web"
)

// maxAge is how long others may cache these documents. A new key is published
// for longer than that before it signs: see KEY_ACTIVATION.
const maxAge = "public, max-age=300"

// jwks answers GET /.well-known/jwks.json.
func (o oauth) jwks(w http.ResponseWriter, r *http.Request) error {
	keys, err := o.Issuer.JWKS()
	if err != nil {
		return err
	}
	web.ReplyBytes(w, r, maxAge, "application/json", keys)
	return nil
}

// revokedSessions answers GET /.well-known/revoked-sessions.json. Who caches it adds
// to the minute that verifiers trust a revoked sign-in for.
func (o oauth) revokedSessions(w http.ResponseWriter, r *http.Request) error {
	sessions, err := o.Issuer.RevokedSessions(r.Context())
	if err != nil {
		return err
	}
	return web.ReplyJSONWithETag(w, r, "public, max-age=5", map[string][]string{"sessions": sessions})
}

// configuration answers GET /.well-known/openid-configuration: the metadata of
// OpenID Connect Discovery 1.0 section 3 and RFC 8414 section 2, every endpoint
// that there is.
func (o oauth) configuration(w http.ResponseWriter, r *http.Request) error {
	base := strings.TrimSuffix(o.Issuer.URL, "/")
	withSecret := []string{"client_secret_basic", "client_secret_post"}
	withOrWithout := append(withSecret, "none") // for public clients
	return web.ReplyJSONWithETag(w, r, maxAge, map[string]any{
		"issuer":                                        o.Issuer.URL,
		"jwks_uri":                                      base + "/.well-known/jwks.json",
		"authorization_endpoint":                        base + "/oauth2/authorize",
		"token_endpoint":                                base + "/oauth2/token",
		"userinfo_endpoint":                             base + "/oauth2/userinfo",
		"introspection_endpoint":                        base + "/oauth2/introspect",
		"revocation_endpoint":                           base + "/oauth2/revoke",
		"end_session_endpoint":                          base + "/oauth2/logout",
		"scopes_supported":                              oidc.Scopes(),
		"response_types_supported":                      []string{"code"},
		"response_modes_supported":                      []string{"query"},
		"grant_types_supported":                         oidc.Grants(),
		"subject_types_supported":                       []string{"public"}, // sub is the user id, whoever asks
		"id_token_signing_alg_values_supported":         []string{token.Algorithm},
		"token_endpoint_auth_methods_supported":         withOrWithout,
		"introspection_endpoint_auth_methods_supported": withSecret,
		"revocation_endpoint_auth_methods_supported":    withOrWithout,
		"code_challenge_methods_supported":              []string{"S256"},
		"claims_supported": []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "preferred_username", "email",
			"email_verified",
		},
		"authorization_response_iss_parameter_supported": true, // RFC 9207 section 3
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false, // true if left out
		"service_documentation":                          base + "/docs",
	})
}
