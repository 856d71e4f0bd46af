package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"craftista/auth/internal/oidc"
	"craftista/auth/internal/postgres"
	"craftista/shared/token"
)

const (
	authorizePath = "/oauth2/authorize"
	tokenPath     = "/oauth2/token"
	userinfoPath  = "/oauth2/userinfo"
	callback      = "https://app.example/callback?x=1"
	verifier      = "a-verifier-of-at-least-forty-three-letters-0"
	allScopes     = "openid profile email votes:write"
)

// app is a registered client.
type app struct{ ID, Secret string }

// client registers a client with a secret.
func (s *service) client(t testing.TB, scopes string) app {
	t.Helper()
	return s.addClient(t, oidc.Registration{Redirects: []string{callback}, Scope: scopes})
}

// publicClient registers one without a secret.
func (s *service) publicClient(t testing.TB) app {
	t.Helper()
	return s.addClient(t, oidc.Registration{Redirects: []string{callback}, Scope: allScopes, Public: true})
}

// machine registers one that acts for itself.
func (s *service) machine(t testing.TB, scopes string) app {
	t.Helper()
	return s.addClient(t, oidc.Registration{Scope: scopes})
}

func (s *service) addClient(t testing.TB, r oidc.Registration) app {
	t.Helper()
	r.Name, r.Logouts = "Paper <Birds>", []string{"https://app.example/bye"}
	c, secret, err := oidc.NewClient(r)
	if err == nil {
		err = postgres.NewStore(s.db).AddClient(t.Context(), c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return app{c.ID, secret}
}

// request is a valid authorization request of the client.
func (a app) request() url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"client_id": {a.ID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {allScopes},
		"state": {"the state & <more>"}, "nonce": {"the nonce"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
}

// codeGrant is a valid token request with that code.
func codeGrant(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
	}
}

func refreshGrant(raw string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {raw}}
}

func clientGrant() url.Values { return url.Values{"grant_type": {"client_credentials"}} }

// set is q with changes, where "" deletes.
func set(q url.Values, changes map[string]string) url.Values {
	for name, value := range changes {
		q.Set(name, value)
		if value == "" {
			q.Del(name)
		}
	}
	return q
}

// decide is what the frontend does when the person has decided.
func (s *service) decide(t *testing.T, access string, q url.Values, approve bool) answer {
	t.Helper()
	return s.postJSON(t, "/oauth2/decision", map[string]any{"query": q.Encode(), "approve": approve},
		"X-Internal-API-Key", internalKey, "Authorization", "Bearer "+access)
}

// decided is the response that the client gets after decide.
func (s *service) decided(t *testing.T, access string, q url.Values, approve bool) url.Values {
	t.Helper()
	a := s.decide(t, access, q, approve)
	wantStatus(t, "decision", a, http.StatusOK)
	return response(t, read[map[string]string](t, a)["redirect_to"], callback)
}

// response is the query that the browser takes back to the client.
func response(t *testing.T, location, redirect string) url.Values {
	t.Helper()
	rest, ok := strings.CutPrefix(location, redirect)
	q, err := url.ParseQuery(strings.TrimLeft(rest, "?&"))
	if !ok || err != nil {
		t.Errorf("sent to %q (%v)", location, err)
	}
	return q
}

// code has the person approve the request.
func (s *service) code(t *testing.T, access string, q url.Values) string {
	t.Helper()
	got := s.decided(t, access, q, true)
	code := got.Get("code")
	got.Del("code")
	equal(t, "response", got, url.Values{"state": q["state"], "iss": {s.URL}})
	if len(code) != 43 {
		t.Errorf("code %q", code)
	}
	return code
}

// post sends a form, as the client by Basic unless it has no id.
func (s *service) post(t *testing.T, path string, as app, form url.Values) answer {
	t.Helper()
	headers := []string{"Content-Type", "application/x-www-form-urlencoded"}
	if as.ID != "" {
		pair := url.QueryEscape(as.ID) + ":" + url.QueryEscape(as.Secret)
		headers = append(headers, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	return s.request(t, http.MethodPost, path, form.Encode(), headers...)
}

// granted is a token response.
type granted struct {
	Access    string `json:"access_token"`
	Type      string `json:"token_type"`
	ExpiresIn int64  `json:"expires_in"`
	Refresh   string `json:"refresh_token"`
	ID        string `json:"id_token"`
	Scope     string `json:"scope"`
	Error     string `json:"error"`
}

// exchange asks the token endpoint.
func (s *service) exchange(t *testing.T, as app, form url.Values) granted {
	t.Helper()
	return read[granted](t, s.post(t, tokenPath, as, form))
}

// grant has the person grant the client that scope.
func (s *service) grant(t *testing.T, access string, a app, scope string) granted {
	t.Helper()
	q := set(a.request(), map[string]string{"scope": scope})
	return s.exchange(t, a, codeGrant(s.code(t, access, q)))
}

func (s *service) verifier() *token.Verifier {
	return token.NewVerifier(token.NewRemoteKeys(s.URL+jwksPath, http.DefaultClient), s.URL, audience)
}
