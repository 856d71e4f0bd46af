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

	"github.com/google/go-cmp/cmp"
)

const (
	authorizePath = "/oauth2/authorize"
	tokenPath     = "/oauth2/token"
	callback      = "https://app.example/callback?x=1"
	verifier      = "a-verifier-of-at-least-forty-three-letters-0"
)

// app is a registered client.
type app struct{ ID, Secret string }

func (s *service) client(t testing.TB, redirects []string, scopes string, public bool) app {
	t.Helper()
	c, secret, err := oidc.NewClient("Paper <Birds>", redirects, []string{"https://app.example/bye"}, strings.Fields(scopes), public)
	if err == nil {
		err = postgres.NewClients(s.db).Add(t.Context(), c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return app{c.ID, secret}
}

// asking is a good authorization request of the client.
func (a app) asking() url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"client_id": {a.ID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid profile email votes:write"},
		"state": {"the state & <more>"}, "nonce": {"the nonce"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
}

// redeeming is a good token request of the client.
func (a app) redeeming(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
}

// decide is what the frontend does when the person has decided.
func (s *service) decide(t *testing.T, access string, q url.Values, approve bool) answer {
	t.Helper()
	return s.request(t, http.MethodPost, "/oauth2/decision", text(t, map[string]any{"query": q.Encode(), "approve": approve}),
		"X-Internal-API-Key", internalKey, "Authorization", "Bearer "+access)
}

// response is the query that the browser brings back to the client.
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
	a := s.decide(t, access, q, true)
	got := response(t, read[map[string]string](t, a)["redirect_to"], callback)
	code := got.Get("code")
	got.Del("code")
	if diff := cmp.Diff(got, url.Values{"state": q["state"], "iss": {s.URL}}); diff != "" || len(code) != 43 {
		t.Errorf("%d, code %q, response (-got +want):\n%s", a.Status, code, diff)
	}
	return code
}

// post sends a form, as the client by Basic unless it has no id.
func (s *service) post(t *testing.T, path string, as app, form url.Values, headers ...string) answer {
	t.Helper()
	headers = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)
	if as.ID != "" {
		basic := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(as.ID) + ":" + url.QueryEscape(as.Secret)))
		headers = append(headers, "Authorization", "Basic "+basic)
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

func refreshing(raw string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {raw}}
}

func TestACodeGivesTokensWithinItsScope(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	id := s.person(t)
	s.exec(t, s.admin, `UPDATE auth.users SET role = 'admin'`)
	access := s.signIn(t)
	a := s.client(t, []string{callback}, "openid profile email votes:write", false)
	reply := s.post(t, tokenPath, a, a.redeeming(s.code(t, access, a.asking())))
	got := read[granted](t, reply)
	u, err := s.verifier().Verify(t.Context(), got.Access)
	want := token.User{
		ID: id, Name: "Crane", Role: token.RoleUser, Session: u.Session, Expires: u.Expires, ClientID: a.ID, Scope: "openid profile email votes:write",
	}
	if diff := cmp.Diff(u, want); diff != "" || u.Session == "" {
		t.Errorf("error %v, user (-got +want):\n%s", err, diff)
	}
	if got.Type != "Bearer" || got.ExpiresIn != 900 || got.Scope != want.Scope || got.ID == "" || reply.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s", reply.Status, reply.Body)
	}
	for _, path := range []string{mePath, sessionsPath, usersPath} {
		if a := s.get(t, path, "Authorization", "Bearer "+got.Access); a.Status != http.StatusForbidden {
			t.Errorf("an application gets %s: %d %s", path, a.Status, a.Body)
		}
	}
	change := s.request(t, http.MethodPost, passwordPath, `{"current_password":"seven paper cranes","new_password":"eight paper cranes"}`, "Authorization", "Bearer "+got.Access)
	if change.Status != http.StatusForbidden {
		t.Errorf("an application changes the password: %d", change.Status)
	}
	if a := s.decide(t, got.Access, a.asking(), true); a.Status != http.StatusForbidden {
		t.Errorf("an application approves for the person: %d %s", a.Status, a.Body)
	}
	if a := s.refresh(t, got.Refresh); a.Status != http.StatusUnauthorized {
		t.Errorf("an application's refresh token gives the site's: %d", a.Status)
	}

	next := read[granted](t, s.post(t, tokenPath, a, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}, "scope": {"votes:write"}}))
	if u, err := s.verifier().Verify(t.Context(), next.Access); u.Scope != "votes:write" || u.Name != "" || next.ID != "" {
		t.Errorf("narrowed: %+v %v", u, err)
	}
	if wide := read[granted](t, s.post(t, tokenPath, a, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {next.Refresh}, "scope": {"votes:read"}})); wide.Error != "invalid_scope" {
		t.Errorf("widened: %+v", wide)
	}
}

func (s *service) verifier() *token.Verifier {
	return token.NewVerifier(token.NewRemoteKeys(s.URL+"/.well-known/jwks.json", http.DefaultClient), s.URL, audience)
}

func TestTheBrowserIsSentToTheConsentPage(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	a := s.client(t, []string{callback}, "openid profile email votes:write", true)
	q := a.asking()
	for name, got := range map[string]answer{
		"GET":  s.visit(t, http.MethodGet, authorizePath+"?"+q.Encode(), ""),
		"POST": s.visit(t, http.MethodPost, authorizePath, q.Encode()),
	} {
		if diff := cmp.Diff(response(t, got.Header.Get("Location"), consentURL), q); diff != "" || got.Status != http.StatusSeeOther {
			t.Errorf("%s: %d, query (-got +want):\n%s", name, got.Status, diff)
		}
	}
	shown := s.request(t, http.MethodPost, "/oauth2/consent", text(t, map[string]string{"query": q.Encode()}), "X-Internal-API-Key", internalKey)
	want := `{"client_id":"` + a.ID + `","client_name":"Paper \u003cBirds\u003e","redirect_uri":"` + callback + `","scopes":["openid","profile","email","votes:write"]}`
	if diff := cmp.Diff(shown.Body, want); diff != "" {
		t.Errorf("consent (-got +want):\n%s", diff)
	}
	for _, path := range []string{"/oauth2/consent", "/oauth2/decision"} {
		if got := s.request(t, http.MethodPost, path, `{"query":""}`); got.Status != http.StatusUnauthorized {
			t.Errorf("%s without the key: %d %s", path, got.Status, got.Body)
		}
	}
}

// visit is a request of a browser that stays where it is; body is a form.
func (s *service) visit(t *testing.T, method, path, body string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return answer{Status: res.StatusCode, Header: res.Header}
}

// TestRefusedRequests has one change from a good request in each row.
func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	access := s.signIn(t)
	a := s.client(t, []string{callback}, "openid votes:write", false)
	for name, row := range map[string]struct {
		change map[string]string // "" deletes
		want   string            // the error that the client hears of; "" is shown only
	}{
		"no client":                {map[string]string{"client_id": ""}, ""},
		"an unknown client":        {map[string]string{"client_id": "client-x"}, ""},
		"a hostile client":         {map[string]string{"client_id": "\x00"}, ""},
		"no redirect":              {map[string]string{"redirect_uri": ""}, ""},
		"a longer redirect":        {map[string]string{"redirect_uri": callback + "1"}, ""},
		"a shorter redirect":       {map[string]string{"redirect_uri": callback[:len(callback)-1]}, ""},
		"a slash more":             {map[string]string{"redirect_uri": "https://app.example/callback/?x=1"}, ""},
		"another case":             {map[string]string{"redirect_uri": "https://APP.example/callback?x=1"}, ""},
		"a fragment":               {map[string]string{"redirect_uri": callback + "#"}, ""},
		"another host":             {map[string]string{"redirect_uri": "https://app.example.evil/callback?x=1"}, ""},
		"a user":                   {map[string]string{"redirect_uri": "https://app.example@evil/callback?x=1"}, ""},
		"a script":                 {map[string]string{"redirect_uri": "javascript:alert(1)"}, ""},
		"http":                     {map[string]string{"redirect_uri": "http://app.example/callback?x=1"}, ""},
		"no response_type":         {map[string]string{"response_type": ""}, "invalid_request"},
		"the implicit grant":       {map[string]string{"response_type": "token"}, "unsupported_response_type"},
		"the answer in a fragment": {map[string]string{"response_mode": "fragment"}, "invalid_request"},
		"no PKCE":                  {map[string]string{"code_challenge": "", "code_challenge_method": ""}, "invalid_request"},
		"plain PKCE":               {map[string]string{"code_challenge_method": "plain"}, "invalid_request"},
		"PKCE by default":          {map[string]string{"code_challenge_method": ""}, "invalid_request"},
		"a short challenge":        {map[string]string{"code_challenge": "abc"}, "invalid_request"},
		"an unknown scope":         {map[string]string{"scope": "openid root"}, "invalid_scope"},
		"a scope not registered":   {map[string]string{"scope": "openid email"}, "invalid_scope"},
		"no scope":                 {map[string]string{"scope": ""}, "invalid_scope"},
		"prompt=none":              {map[string]string{"prompt": "none"}, "consent_required"},
		"an unknown prompt":        {map[string]string{"prompt": "later"}, "invalid_request"},
		"a negative max_age":       {map[string]string{"max_age": "-1"}, "invalid_request"},
		"a request object":         {map[string]string{"request": "x.y.z"}, "request_not_supported"},
		"a request elsewhere":      {map[string]string{"request_uri": "https://evil"}, "request_uri_not_supported"},
		"a hostile nonce":          {map[string]string{"nonce": "\x00"}, "invalid_request"},
		"a long nonce":             {map[string]string{"nonce": strings.Repeat("n", 2001)}, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := a.asking()
			q.Set("scope", "openid votes:write")
			for name, value := range row.change {
				q.Set(name, value)
				if value == "" {
					q.Del(name)
				}
			}
			got := s.visit(t, http.MethodGet, authorizePath+"?"+q.Encode(), "")
			decided := s.decide(t, access, q, true)
			if row.want == "" {
				if got.Status != http.StatusBadRequest || got.Header.Get("Location") != "" || decided.Status != http.StatusBadRequest {
					t.Errorf("%d to %q, decision %d %s", got.Status, got.Header.Get("Location"), decided.Status, decided.Body)
				}
				return
			}
			for _, location := range []string{got.Header.Get("Location"), read[map[string]string](t, decided)["redirect_to"]} {
				back := response(t, location, callback)
				want := url.Values{"error": {row.want}, "error_description": back["error_description"], "state": q["state"], "iss": {s.URL}}
				if diff := cmp.Diff(back, want); diff != "" {
					t.Errorf("response (-got +want):\n%s", diff)
				}
			}
		})
	}
}

// walk goes through all of OAuth once, for a person with that access token.
func (s *service) walk(t *testing.T, access string) {
	t.Helper()
	a := s.client(t, []string{callback}, "openid profile email votes:write", false)
	s.visit(t, http.MethodGet, authorizePath+"?"+a.asking().Encode(), "")
	s.visit(t, http.MethodPost, authorizePath, a.asking().Encode())
	s.request(t, http.MethodPost, "/oauth2/consent", text(t, map[string]string{"query": a.asking().Encode()}), "X-Internal-API-Key", internalKey)
	got := read[granted](t, s.post(t, tokenPath, a, a.redeeming(s.code(t, access, a.asking()))))
	s.get(t, "/oauth2/userinfo", "Authorization", "Bearer "+got.Access)
	s.request(t, http.MethodPost, "/oauth2/userinfo", "", "Authorization", "Bearer "+got.Access)
	s.post(t, "/oauth2/introspect", a, url.Values{"token": {got.Access}})
	s.post(t, "/oauth2/revoke", a, url.Values{"token": {got.Access}})
	s.visit(t, http.MethodGet, "/oauth2/logout?id_token_hint="+got.ID, "")
	s.visit(t, http.MethodPost, "/oauth2/logout", "id_token_hint="+got.ID)
}
