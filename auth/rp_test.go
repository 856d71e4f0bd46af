package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	neturl "net/url"
	"regexp"
	"testing"

	"craftista/auth"
	"craftista/db/pgtest"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
)

const back = "https://app.example/callback"

// TestAStockRelyingPartySignsIn goes the whole way with a client that knows
// nothing of us but the issuer's URL: discovery, the browser, PKCE, the keys, the
// ID token, userinfo and refresh.
func TestAStockRelyingPartySignsIn(t *testing.T) {
	t.Parallel()
	c := settings(t)
	c.DatabaseURL = pgtest.New(t).AuthURL
	url, stop := run(t, c)
	ctx := t.Context()
	post(t, url+"/api/auth/register", c.InternalAPIKey, `{"username":"Crane","email":"crane@example.com","password":"seven paper cranes"}`)
	provider, err := oidc.NewProvider(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	party := relyingParty(t, c, provider.Endpoint())
	verifier, nonce, state := oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), "a state & <more>"
	asked := party.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier))
	response := browse(t, c, url, asked)
	want := neturl.Values{"code": response["code"], "state": {state}, "iss": {url}}
	if diff := cmp.Diff(response, want); diff != "" {
		t.Errorf("response (-got +want):\n%s", diff)
	}
	tokens, err := party.Exchange(ctx, response.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	checkPerson(ctx, t, provider, party, tokens, nonce)
	refresh(ctx, t, party, tokens)
	if _, err := party.Exchange(ctx, response.Get("code"), oauth2.VerifierOption(verifier)); err == nil {
		t.Error("the code works twice")
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// checkPerson holds ID token and userinfo to Crane.
func checkPerson(ctx context.Context, t *testing.T, provider *oidc.Provider, party *oauth2.Config, tokens *oauth2.Token, nonce string) {
	t.Helper()
	raw, _ := tokens.Extra("id_token").(string)
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: party.ClientID}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Username string `json:"preferred_username"`
		Email    string `json:"email"`
		AuthTime int64  `json:"auth_time"`
	}
	if err := id.Claims(&said); err != nil || said.AuthTime == 0 || said.Username != "Crane" || said.Email != "crane@example.com" {
		t.Errorf("claims %+v, error %v", said, err)
	}
	if err := id.VerifyAccessToken(tokens.AccessToken); err != nil || id.Nonce != nonce || id.Subject != "1" {
		t.Errorf("at_hash %v, nonce %q, sub %q", err, id.Nonce, id.Subject)
	}
	info, err := provider.UserInfo(ctx, party.TokenSource(ctx, tokens))
	if err != nil || info.Subject != "1" || info.Email != "crane@example.com" {
		t.Errorf("userinfo %+v, error %v", info, err)
	}
}

// refresh gets the next pair.
func refresh(ctx context.Context, t *testing.T, party *oauth2.Config, old *oauth2.Token) {
	t.Helper()
	next, err := party.TokenSource(ctx, &oauth2.Token{RefreshToken: old.RefreshToken}).Token()
	if err != nil || next.RefreshToken == old.RefreshToken || next.AccessToken == old.AccessToken {
		t.Errorf("refresh: %v, %v", next, err)
	}
}

// relyingParty is registered by the command.
func relyingParty(t *testing.T, c auth.Config, endpoint oauth2.Endpoint) *oauth2.Config {
	t.Helper()
	_, stdout, stderr := program("DATABASE_URL="+c.DatabaseURL)("clients", "add", "-name", "Paper Birds", "-redirect", back)
	added := regexp.MustCompile(`client_id +(\S+)\nclient_secret +(\S+)\n`).FindStringSubmatch(stdout)
	if added == nil {
		t.Fatalf("stdout %q, stderr %q", stdout, stderr)
	}
	return &oauth2.Config{ClientID: added[1], ClientSecret: added[2], Endpoint: endpoint, RedirectURL: back, Scopes: []string{oidc.ScopeOpenID, "profile", "email"}}
}

// browse is the browser and the frontend: it follows the request to the consent
// page, signs Crane in, approves, and returns what the application gets back.
func browse(t *testing.T, c auth.Config, url, asked string) neturl.Values {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.Get(asked)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	page, err := res.Location()
	if err != nil {
		t.Fatal(err)
	}
	here := neturl.URL{Scheme: page.Scheme, Host: page.Host, Path: page.Path}
	if diff := cmp.Diff(here.String(), c.ConsentURL); diff != "" {
		t.Errorf("sent to (-got +want):\n%s", diff)
	}
	var signedIn struct {
		Access string `json:"access_token"`
	}
	_, body := post(t, url+"/api/auth/login", "", `{"username":"Crane","password":"seven paper cranes"}`)
	decision, wrong := json.Marshal(map[string]any{"query": page.RawQuery, "approve": true})
	if err := json.Unmarshal([]byte(body), &signedIn); err != nil || wrong != nil {
		t.Fatal(err, wrong)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/oauth2/decision", bytes.NewReader(decision))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "X-Internal-Api-Key": {c.InternalAPIKey}, "Authorization": {"Bearer " + signedIn.Access}}
	if res, err = http.DefaultClient.Do(r); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var decided struct {
		To string `json:"redirect_to"`
	}
	if err := json.NewDecoder(res.Body).Decode(&decided); err != nil {
		t.Fatal(err)
	}
	to, err := neturl.Parse(decided.To)
	if err != nil || to.Host != "app.example" {
		t.Fatalf("back to %q: %v", decided.To, err)
	}
	return to.Query()
}
