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

const verifier = "a-verifier-of-at-least-forty-three-letters-0"

// TestConsent is an application's sign-in by authorization code, from its request
// by way of the sign-in and the consent page to the claims that it then may read,
// with JavaScript and without.
func TestConsent(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	issuer := s.URLs["auth"]
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "code %d, %s", len(r.FormValue("code")), r.FormValue("error"))
	}))
	t.Cleanup(app.Close)
	callback := app.URL + "/callback"
	id, secret := application(t, s, callback)
	to := issuer + "/oauth2/authorize?" + authorization(id, callback)
	withAndWithoutScript(t, s, func(t *testing.T, b *tab, _ bool) {
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
		b.lacks("body", "denied")
		b.see("body", "code ")
		got, err := chromedp.Run(b.ctx, chromedp.Location())
		if err != nil {
			t.Fatal(err)
		}
		allowed, err := url.ParseQuery(strings.TrimPrefix(got, callback+"?"))
		if err != nil || allowed.Get("state") != "a state & <more>" || allowed.Get("iss") != issuer {
			t.Fatalf("allowed: at %s, %v", got, err)
		}
		info := get(t, issuer+"/oauth2/userinfo")
		access := exchange(t, issuer, url.Values{"code": {allowed.Get("code")}, "redirect_uri": {callback}}, id, secret)
		info.Header.Set("Authorization", "Bearer "+access)
		claims := do(t, http.DefaultClient, info)
		if claims.Status != http.StatusOK || !strings.Contains(claims.Body, `"preferred_username":"`+name) {
			t.Errorf("userinfo: %d %s", claims.Status, claims.Body)
		}
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
func exchange(t *testing.T, issuer string, form url.Values, id, secret string) string {
	t.Helper()
	form.Set("grant_type", "authorization_code")
	form.Set("code_verifier", verifier)
	r := post(t, issuer+"/oauth2/token", form)
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
