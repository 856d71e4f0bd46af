package e2e

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"craftista/auth"
	"craftista/db"
	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
)

const (
	callback = "http://127.0.0.1:49152/callback"
	verifier = "a-verifier-of-at-least-forty-three-letters-0"
)

// TestAuthorizationCodeFlow goes from the application's request to the consent page
// and on to the claims that the application may then read.
func TestAuthorizationCodeFlow(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	front, issuer := s.URLs["frontend"], s.URLs["auth"]
	id, secret := application(t, s, callback)
	client := signUp(t, front)
	to := do(t, client, get(t, issuer+"/oauth2/authorize?"+authorization(id, callback))).Header.Get("Location")
	_, query, _ := strings.Cut(to, "?")
	page := do(t, client, get(t, to))
	policy := page.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(to, front+"/authorize?") || page.Status != http.StatusOK ||
		!strings.Contains(page.Body, "Let Paper &lt;Birds&gt; in?") ||
		!strings.Contains(policy, "form-action 'self' http://127.0.0.1:49152;") {
		t.Fatalf("led to %s: %d %v %s", to, page.Status, page.Header, page.Body)
	}
	decide := func(decision string) url.Values {
		form := url.Values{"query": {query}, "decision": {decision}}
		return callbackQuery(t, do(t, client, post(t, front+"/authorize", form)))
	}
	if denied := decide("deny"); denied.Get("error") != "access_denied" || denied.Has("code") {
		t.Errorf("denied: %v", denied)
	}
	allowed := decide("allow")
	if allowed.Get("state") != "a state & <more>" || allowed.Get("iss") != issuer || allowed.Get("code") == "" {
		t.Fatalf("allowed: %v", allowed)
	}
	info := get(t, issuer+"/oauth2/userinfo")
	info.Header.Set("Authorization", "Bearer "+exchange(t, issuer, id, secret, allowed.Get("code")))
	got := do(t, http.DefaultClient, info)
	if got.Status != http.StatusOK || !strings.Contains(got.Body, `"preferred_username":"e2e-`) {
		t.Errorf("userinfo: %d %s", got.Status, got.Body)
	}
}

// TestConsent asks a person who has to sign in first, with JavaScript and without.
func TestConsent(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "code %d, %s", len(r.FormValue("code")), r.FormValue("error"))
	}))
	t.Cleanup(app.Close)
	id, _ := application(t, s, app.URL+"/callback")
	to := s.URLs["auth"] + "/oauth2/authorize?" + authorization(id, app.URL+"/callback")
	withAndWithoutScript(t, s, func(_ *testing.T, b *tab, _ bool) {
		name := b.join()
		b.logout()
		b.do(chromedp.Navigate(to))
		b.see("h1", "Sign in")
		b.login(name)
		b.see("h1", "Let Paper <Birds> in?")
		b.click("[value=deny]")
		b.see("body", "code 0, access_denied")
		b.do(chromedp.Navigate(to))
		b.see("h1", "Let Paper <Birds> in?")
		b.click("[value=allow]")
		b.gone("body", "denied")
		b.see("body", "code ")
		b.holds("there is a code", `!document.body.textContent.includes("code 0")`)
	})
}

// authorization is the query of the application's authorization request.
func authorization(id, callback string) string {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"},
		"scope": {"openid profile"}, "state": {"a state & <more>"},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}.Encode()
}

// exchange is the access token that the application gets for the code.
func exchange(t *testing.T, issuer, id, secret, code string) string {
	t.Helper()
	r := post(t, issuer+"/oauth2/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
	})
	r.SetBasicAuth(id, secret)
	var tokens struct {
		Access string `json:"access_token"`
	}
	got := do(t, http.DefaultClient, r)
	if err := json.Unmarshal([]byte(got.Body), &tokens); err != nil || got.Status != http.StatusOK {
		t.Fatalf("exchange: %d %s", got.Status, got.Body)
	}
	return tokens.Access
}

// application registers one, as its owner would.
func application(t *testing.T, s *local.Stack, callback string) (id, secret string) {
	t.Helper()
	database, err := db.RoleURL(s.Config.DatabaseURL, db.AuthRole, s.Config.Passwords.Auth)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	args := []string{"clients", "add", "-name", "Paper <Birds>", "-redirect", callback}
	auth.Main(args, []string{"DATABASE_URL=" + database}, &stdout, &stderr)
	added := regexp.MustCompile(`client_id +(\S+)\nclient_secret +(\S+)\n`).FindStringSubmatch(stdout.String())
	if added == nil {
		t.Fatalf("stdout %q, stderr %q", stdout.String(), stderr.String())
	}
	return added[1], added[2]
}

// callbackQuery is the query that the browser brings to the application.
func callbackQuery(t *testing.T, r reply) url.Values {
	t.Helper()
	rest, ok := strings.CutPrefix(r.Header.Get("Location"), callback+"?")
	q, err := url.ParseQuery(rest)
	if !ok || err != nil || r.Status != http.StatusSeeOther {
		t.Fatalf("%d, led to %q (%v): %.500s", r.Status, r.Header.Get("Location"), err, r.Body)
	}
	return q
}
