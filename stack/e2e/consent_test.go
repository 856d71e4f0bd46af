package e2e

import (
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
	"golang.org/x/oauth2"
)

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
	party, verifier := application(t, s, callback), oauth2.GenerateVerifier()
	to := party.AuthCodeURL("a state & <more>", oauth2.S256ChallengeOption(verifier))
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
		tokens, err := party.Exchange(t.Context(), allowed.Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		info := get(t, issuer+"/oauth2/userinfo")
		tokens.SetAuthHeader(info)
		claims := do(t, http.DefaultClient, info)
		if claims.Status != http.StatusOK || !strings.Contains(claims.Body, `"preferred_username":"`+name) {
			t.Errorf("userinfo: %d %s", claims.Status, claims.Body)
		}
	})
}

// application registers one, as its owner would.
func application(t *testing.T, s *local.Stack, callback string) *oauth2.Config {
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
	return &oauth2.Config{
		ClientID: added[1], ClientSecret: added[2], RedirectURL: callback, Scopes: []string{"openid", "profile"},
		Endpoint: oauth2.Endpoint{
			AuthURL: s.URLs["auth"] + "/oauth2/authorize", TokenURL: s.URLs["auth"] + "/oauth2/token",
		},
	}
}
