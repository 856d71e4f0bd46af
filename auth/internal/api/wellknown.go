package api

import (
	"net/http"
	"strings"

	"craftista/auth/internal/oidc"
	"craftista/auth/internal/token"
	"craftista/shared/web"
)

// maxAge is how long others may keep what stands here. A new key is published
// for longer than that before it signs: see KEY_ACTIVATION.
const maxAge = "public, max-age=300"

type wellKnown struct{ issuer *token.Issuer }

// jwks answers GET /.well-known/jwks.json.
func (k wellKnown) jwks(w http.ResponseWriter, r *http.Request) error {
	web.ReplyBytes(w, r, maxAge, "application/json", k.issuer.JWKS())
	return nil
}

// configurationReply is the metadata of OpenID Connect Discovery 1.0 section 3
// and RFC 8414 section 2. Every endpoint in it is there.
type configurationReply struct {
	Issuer                string   `json:"issuer"`
	JWKSURI               string   `json:"jwks_uri"`
	Authorization         string   `json:"authorization_endpoint"`
	Token                 string   `json:"token_endpoint"`
	UserInfo              string   `json:"userinfo_endpoint"`
	Introspection         string   `json:"introspection_endpoint"`
	Revocation            string   `json:"revocation_endpoint"`
	EndSession            string   `json:"end_session_endpoint"`
	Scopes                []string `json:"scopes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	Grants                []string `json:"grant_types_supported"`
	SubjectTypesSupported []string `json:"subject_types_supported"`
	IDTokenAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	ClientAuthentication  []string `json:"token_endpoint_auth_methods_supported"`
	IntrospectionAuth     []string `json:"introspection_endpoint_auth_methods_supported"`
	RevocationAuth        []string `json:"revocation_endpoint_auth_methods_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	Claims                []string `json:"claims_supported"`
	NamesItself           bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207 section 3
	RequestParameter      bool     `json:"request_parameter_supported"`
	RequestURI            bool     `json:"request_uri_parameter_supported"` // true if left out
	ServiceDocumentation  string   `json:"service_documentation"`
}

// configuration answers GET /.well-known/openid-configuration.
func (k wellKnown) configuration(w http.ResponseWriter, r *http.Request) error {
	base := strings.TrimSuffix(k.issuer.URL, "/")
	return web.ReplyTagged(w, r, maxAge, configurationReply{
		Issuer:                k.issuer.URL,
		JWKSURI:               base + "/.well-known/jwks.json",
		Authorization:         base + "/oauth2/authorize",
		Token:                 base + "/oauth2/token",
		UserInfo:              base + "/oauth2/userinfo",
		Introspection:         base + "/oauth2/introspect",
		Revocation:            base + "/oauth2/revoke",
		EndSession:            base + "/oauth2/logout",
		Scopes:                oidc.Scopes(),
		ResponseTypes:         []string{"code"},
		ResponseModes:         []string{"query"},
		Grants:                oidc.Grants(),
		SubjectTypesSupported: []string{"public"}, // sub is the user id, whoever asks
		IDTokenAlgorithms:     []string{"RS256"},
		ClientAuthentication:  []string{"client_secret_basic", "client_secret_post", "none"},
		IntrospectionAuth:     []string{"client_secret_basic", "client_secret_post"},
		RevocationAuth:        []string{"client_secret_basic", "client_secret_post", "none"},
		ChallengeMethods:      []string{"S256"},
		Claims:                []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "preferred_username", "email"},
		NamesItself:           true,
		ServiceDocumentation:  base + "/docs",
	})
}
