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

// TestAnApplicationGetsInByConsent goes from the application's request by way of
// the page that asks the person to what the application then may see.
func TestAnApplicationGetsInByConsent(t *testing.T) {
	t.Parallel()
	var settings local.Config
	s := stacktest.Start(t, func(c *local.Config) { settings = *c })
	front, issuer := s.URLs["frontend"], s.URLs["auth"]
	id, secret := application(t, settings, callback)
	client := browse(t, front)
	to := do(t, client, get(t, issuer+"/oauth2/authorize?"+asking(id, callback))).Header.Get("Location")
	_, query, _ := strings.Cut(to, "?")
	page := do(t, client, get(t, to))
	if !strings.HasPrefix(to, front+"/authorize?") || page.Status != http.StatusOK || !strings.Contains(page.Body, "Let Paper &lt;Birds&gt; in?") ||
		!strings.Contains(page.Header.Get("Content-Security-Policy"), "form-action 'self' http://127.0.0.1:49152;") {
		t.Fatalf("led to %s: %d %v %s", to, page.Status, page.Header, page.Body)
	}
	denied := back(t, do(t, client, post(t, front+"/authorize", url.Values{"query": {query}, "decision": {"deny"}})))
	if denied.Get("error") != "access_denied" || denied.Has("code") {
		t.Errorf("denied: %v", denied)
	}
	allowed := back(t, do(t, client, post(t, front+"/authorize", url.Values{"query": {query}, "decision": {"allow"}})))
	if allowed.Get("state") != "a state & <more>" || allowed.Get("iss") != issuer || allowed.Get("code") == "" {
		t.Fatalf("allowed: %v", allowed)
	}
	info := get(t, issuer+"/oauth2/userinfo")
	info.Header.Set("Authorization", "Bearer "+exchange(t, issuer, id, secret, allowed.Get("code")))
	if got := do(t, http.DefaultClient, info); got.Status != http.StatusOK || !strings.Contains(got.Body, `"preferred_username":"e2e-`) {
		t.Errorf("userinfo: %d %s", got.Status, got.Body)
	}
}

// TestConsent asks a person who has to sign in first, with JavaScript and without.
func TestConsent(t *testing.T) {
	t.Parallel()
	var settings local.Config
	s := stacktest.Start(t, func(c *local.Config) { settings = *c })
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "code %d, %s", len(r.FormValue("code")), r.FormValue("error"))
	}))
	t.Cleanup(app.Close)
	id, _ := application(t, settings, app.URL+"/callback")
	to := s.URLs["auth"] + "/oauth2/authorize?" + asking(id, app.URL+"/callback")
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script=%v", script), func(t *testing.T) {
			t.Parallel()
			b := open(t, s, script)
			name := b.join()
			b.submit(`form[action="/logout"]`)
			b.see(".site-nav", "Sign in")
			b.do(chromedp.Navigate(to))
			b.see("h1", "Sign in")
			b.fill("#username", name)
			b.fill("#password", passphrase)
			b.submit("#login-form")
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
}

// asking is what the application asks for.
func asking(id, callback string) string {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid profile"}, "state": {"a state & <more>"},
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
	if got := do(t, http.DefaultClient, r); json.Unmarshal([]byte(got.Body), &tokens) != nil || got.Status != http.StatusOK {
		t.Fatalf("exchange: %d %s", got.Status, got.Body)
	}
	return tokens.Access
}

// application registers one, as its owner would.
func application(t *testing.T, c local.Config, callback string) (id, secret string) {
	t.Helper()
	database, err := db.RoleURL(c.DatabaseURL, db.AuthRole, c.Passwords.Auth)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	auth.Main([]string{"clients", "add", "-name", "Paper <Birds>", "-redirect", callback}, []string{"DATABASE_URL=" + database}, &stdout, &stderr)
	added := regexp.MustCompile(`client_id +(\S+)\nclient_secret +(\S+)\n`).FindStringSubmatch(stdout.String())
	if added == nil {
		t.Fatalf("stdout %q, stderr %q", stdout.String(), stderr.String())
	}
	return added[1], added[2]
}

// back is the query that the browser brings to the application.
func back(t *testing.T, r reply) url.Values {
	t.Helper()
	rest, ok := strings.CutPrefix(r.Header.Get("Location"), callback+"?")
	q, err := url.ParseQuery(rest)
	if !ok || err != nil || r.Status != http.StatusSeeOther {
		t.Fatalf("%d, led to %q (%v): %.500s", r.Status, r.Header.Get("Location"), err, r.Body)
	}
	return q
}
