package api

import (
	"net/http"
	"strings"

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

// configurationReply is what is true today of OpenID Connect Discovery 1.0
// section 3. That section requires more: authorization_endpoint, token_endpoint,
// response_types_supported and id_token_signing_alg_values_supported. There is
// no such endpoint and no ID token yet, an empty list must be left out (RFC 8414
// section 3.2), and a client that needs them is better stopped here than later.
type configurationReply struct {
	Issuer                string   `json:"issuer"`
	JWKSURI               string   `json:"jwks_uri"`
	SubjectTypesSupported []string `json:"subject_types_supported"`
	ServiceDocumentation  string   `json:"service_documentation"`
}

// configuration answers GET /.well-known/openid-configuration.
func (k wellKnown) configuration(w http.ResponseWriter, r *http.Request) error {
	base := strings.TrimSuffix(k.issuer.URL, "/")
	return web.ReplyTagged(w, r, maxAge, configurationReply{
		Issuer:                k.issuer.URL,
		JWKSURI:               base + "/.well-known/jwks.json",
		SubjectTypesSupported: []string{"public"}, // sub is the user id, whoever asks
		ServiceDocumentation:  base + "/docs",
	})
}
