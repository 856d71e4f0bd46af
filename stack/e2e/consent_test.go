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
		b.see("h1", "Allow Paper <Birds> access?")
		b.click("[value=deny]")
		b.see("body", "code 0, access_denied")
		b.do(chromedp.Navigate(to))
		b.see("h1", "Allow Paper <Birds> access?")
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
		silent := to + "&prompt=none"
		b.do(chromedp.Navigate(silent))
		b.see("body", "code 43")
		info := get(t, issuer+"/oauth2/userinfo")
		tokens.SetAuthHeader(info)
		claims := do(t, http.DefaultClient, info)
		if claims.Status != http.StatusOK || !strings.Contains(claims.Body, `"preferred_username":"`+name) {
			t.Errorf("userinfo: %d %s", claims.Status, claims.Body)
		}
		b.do(chromedp.Navigate(s.URLs["frontend"]))
		b.logout()
		b.do(chromedp.Navigate(silent))
		b.see("body", "code 0, login_required")
	})
}

// TestEitherNameOfThisMachine signs in, votes and lets an application in, at
// localhost and at 127.0.0.1: the issuer is the same, and so is the page that asks.
func TestEitherNameOfThisMachine(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	issuer, consent := s.URLs["auth"], s.URLs["frontend"]
	for _, host := range []string{"localhost", "127.0.0.1"} {
		front := strings.Replace(consent, "localhost", host, 1)
		name, verifier := newName(), oauth2.GenerateVerifier()
		form := url.Values{"username": {name}, "email": {name + "@example.com"}, "password": {passphrase}}
		person := signedIn(t, front+"/register", form)
		vote := post(t, front+"/origamis/1/vote", url.Values{})
		vote.Header.Del("Sec-Fetch-Site")
		vote.Header.Set("Origin", front) // as browsers do that send no Sec-Fetch-Site
		voted := do(t, person, vote)
		if mine := do(t, person, get(t, front+"/origamis/1")); voted.Status != http.StatusSeeOther ||
			!strings.Contains(mine.Body, `action="/origamis/1/unvote"`) {
			t.Errorf("%s: the vote answers %d", host, voted.Status)
		}

		party := application(t, s, "http://127.0.0.1:1/callback")
		party.Endpoint.AuthURL = strings.Replace(party.Endpoint.AuthURL, "localhost", host, 1)
		party.Endpoint.TokenURL = strings.Replace(party.Endpoint.TokenURL, "localhost", host, 1)
		asked := do(t, person, get(t, party.AuthCodeURL("", oauth2.S256ChallengeOption(verifier))))
		query, found := strings.CutPrefix(asked.Header.Get("Location"), consent+"/authorize?")
		form.Del("email")
		do(t, person, post(t, consent+"/login", form)) // the cookie is one name's
		decision := url.Values{"query": {query}, "decision": {"allow"}}
		allowed := do(t, person, post(t, consent+"/authorize", decision))
		to, err := url.Parse(allowed.Header.Get("Location"))
		if err != nil || !found || to.Query().Get("iss") != issuer {
			t.Fatalf("%s: asked at %q, allowed to %q", host, asked.Header.Get("Location"), to)
		}
		if _, err := party.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier)); err != nil {
			t.Error(host, err)
		}
	}
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
