package auth_test

import (
	"encoding/json"
	"fmt"
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

// TestAStockRelyingPartySignsIn does a whole sign-in with a client library that has
// nothing but the issuer's URL: discovery, the browser, PKCE, the keys, the ID token,
// userinfo and refresh.
func TestAStockRelyingPartySignsIn(t *testing.T) {
	t.Parallel()
	c := settings(t)
	c.DatabaseURL = pgtest.New(t).AuthURL
	url, _ := run(t, c)
	ctx := t.Context()
	post(t, url+"/api/auth/register", registration, "X-Internal-API-Key", c.InternalAPIKey)
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
	checkPerson(t, provider, party, tokens, nonce)
	next, err := party.TokenSource(ctx, &oauth2.Token{RefreshToken: tokens.RefreshToken}).Token()
	if err != nil || next.RefreshToken == tokens.RefreshToken || next.AccessToken == tokens.AccessToken {
		t.Errorf("refresh: %v, %v", next, err)
	}
	if _, err := party.Exchange(ctx, response.Get("code"), oauth2.VerifierOption(verifier)); err == nil {
		t.Error("the code works twice")
	}
}

// checkPerson checks that ID token and userinfo are about Crane.
func checkPerson(t *testing.T, provider *oidc.Provider, party *oauth2.Config, tokens *oauth2.Token, nonce string) {
	t.Helper()
	ctx := t.Context()
	raw, _ := tokens.Extra("id_token").(string)
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: party.ClientID}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	err = id.Claims(&claims)
	if err != nil || claims["preferred_username"] != "Crane" || claims["email"] != "crane@example.com" {
		t.Errorf("claims %v, error %v", claims, err)
	}
	if authTime, _ := claims["auth_time"].(float64); authTime == 0 {
		t.Error("no auth_time")
	}
	if err := id.VerifyAccessToken(tokens.AccessToken); err != nil || id.Nonce != nonce || id.Subject != "1" {
		t.Errorf("at_hash %v, nonce %q, sub %q", err, id.Nonce, id.Subject)
	}
	info, err := provider.UserInfo(ctx, party.TokenSource(ctx, tokens))
	if err != nil || info.Subject != "1" || info.Email != "crane@example.com" {
		t.Errorf("userinfo %+v, error %v", info, err)
	}
}

// relyingParty is registered by the command.
func relyingParty(t *testing.T, c auth.Config, endpoint oauth2.Endpoint) *oauth2.Config {
	t.Helper()
	_, stdout, stderr := program("DATABASE_URL=" + c.DatabaseURL)("clients add -name Birds -redirect " + back)
	added := regexp.MustCompile(`client_id +(\S+)\nclient_secret +(\S+)\n`).FindStringSubmatch(stdout)
	if added == nil {
		t.Fatalf("stdout %q, stderr %q", stdout, stderr)
	}
	return &oauth2.Config{
		ClientID: added[1], ClientSecret: added[2], Endpoint: endpoint, RedirectURL: back,
		Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}
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
	var signedIn, decided map[string]any
	_, body := post(t, url+"/api/auth/login", `{"username":"Crane","password":"seven paper cranes"}`)
	if err := json.Unmarshal([]byte(body), &signedIn); err != nil {
		t.Fatal(err)
	}
	_, body = post(t, url+"/oauth2/decision", fmt.Sprintf(`{"query":%q,"approve":true}`, page.RawQuery),
		"X-Internal-API-Key", c.InternalAPIKey, "Authorization", fmt.Sprint("Bearer ", signedIn["access_token"]))
	if err := json.Unmarshal([]byte(body), &decided); err != nil {
		t.Fatal(err)
	}
	to, err := neturl.Parse(fmt.Sprint(decided["redirect_to"]))
	if err != nil || to.Host != "app.example" {
		t.Fatalf("back to %v: %v", decided, err)
	}
	return to.Query()
}
