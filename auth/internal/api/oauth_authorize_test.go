package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"craftista/auth/internal/oidc"
)

func TestTheBrowserIsSentToTheConsentPage(t *testing.T) {
	t.Parallel()
	s, clock := startWithClock(t)
	a := s.publicClient(t)
	q := a.request()
	for name, got := range map[string]answer{
		"GET":  s.get(t, authorizePath+"?"+q.Encode()),
		"POST": s.post(t, authorizePath, app{}, q),
	} {
		wantStatus(t, name, got, http.StatusSeeOther)
		q.Set("requested_at", strconv.FormatInt(clock.now().Unix(), 10))
		equal(t, name, response(t, got.Header.Get("Location"), consentURL), q)
	}
	query := map[string]string{"query": q.Encode()}
	equal(t, "consent", s.postJSON(t, "/oauth2/consent", query, "X-Internal-API-Key", internalKey).Body,
		`{"client_id":"`+a.ID+`","client_name":"Paper \u003cBirds\u003e","redirect_uri":"`+callback+
			`","scopes":["openid","profile","email","votes:write"]}`)
	for _, path := range []string{"/oauth2/consent", "/oauth2/decision"} {
		wantStatus(t, path+" without the key", s.postJSON(t, path, query), http.StatusUnauthorized)
	}
}

// TestRefusedRequests has one change from a valid request in each row.
func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	access := s.signIn(t)
	a := s.client(t, "openid votes:write")
	for name, row := range map[string]struct {
		change map[string]string // "" deletes
		want   string            // the error that the client gets; "" is shown only
	}{
		"no client":                {map[string]string{"client_id": ""}, ""},
		"an unknown client":        {map[string]string{"client_id": "client-x"}, ""},
		"a hostile client":         {map[string]string{"client_id": "\x00"}, ""},
		"a longer redirect":        {map[string]string{"redirect_uri": callback + "1"}, ""},
		"a shorter redirect":       {map[string]string{"redirect_uri": callback[:len(callback)-1]}, ""},
		"a slash more":             {map[string]string{"redirect_uri": "https://app.example/callback/?x=1"}, ""},
		"another case":             {map[string]string{"redirect_uri": "https://APP.example/callback?x=1"}, ""},
		"a fragment":               {map[string]string{"redirect_uri": callback + "#"}, ""},
		"another host":             {map[string]string{"redirect_uri": "https://app.example.evil/callback?x=1"}, ""},
		"a user":                   {map[string]string{"redirect_uri": "https://app.example@evil/callback?x=1"}, ""},
		"a script":                 {map[string]string{"redirect_uri": "javascript:alert(1)"}, ""},
		"http":                     {map[string]string{"redirect_uri": "http://app.example/callback?x=1"}, ""},
		"the implicit grant":       {map[string]string{"response_type": "token"}, "unsupported_response_type"},
		"the answer in a fragment": {map[string]string{"response_mode": "fragment"}, "invalid_request"},
		"no PKCE":                  {map[string]string{"code_challenge": "", "code_challenge_method": ""}, "invalid_request"},
		"plain PKCE":               {map[string]string{"code_challenge_method": "plain"}, "invalid_request"},
		"PKCE by default":          {map[string]string{"code_challenge_method": ""}, "invalid_request"},
		"a short challenge":        {map[string]string{"code_challenge": "abc"}, "invalid_request"},
		"unknown scopes only":      {map[string]string{"scope": "root  phone"}, "invalid_scope"},
		"a scope not registered":   {map[string]string{"scope": "openid email"}, "invalid_scope"},
		"no scope":                 {map[string]string{"scope": ""}, "invalid_scope"},
		"an unknown prompt":        {map[string]string{"prompt": "later"}, "invalid_request"},
		"none and another prompt":  {map[string]string{"prompt": "none consent"}, "invalid_request"},
		"a negative max_age":       {map[string]string{"max_age": "-1"}, "invalid_request"},
		"a hostile nonce":          {map[string]string{"nonce": "\x00"}, "invalid_request"},
		"a long nonce":             {map[string]string{"nonce": strings.Repeat("n", 2001)}, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := set(set(a.request(), map[string]string{"scope": "openid votes:write"}), row.change)
			got := s.get(t, authorizePath+"?"+q.Encode())
			if row.want == "" {
				wantStatus(t, "request", got, http.StatusBadRequest)
				equal(t, "Location", got.Header.Get("Location"), "")
				wantPage(t, s.get(t, authorizePath+"?"+q.Encode(), browser...), http.StatusBadRequest, "That did not work")
				wantStatus(t, "decision", s.decide(t, access, q, true), http.StatusBadRequest)
				return
			}
			for _, back := range []url.Values{
				response(t, got.Header.Get("Location"), callback), s.decided(t, access, q, true),
			} {
				equal(t, "response", back, url.Values{
					"error": {row.want}, "error_description": back["error_description"],
					"state": q["state"], "iss": {s.URL},
				})
			}
		})
	}
}

// browser is what Chromium sends when it opens a page.
var browser = []string{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

// wantPage is a page that says nothing of the request and leads to the site.
func wantPage(t *testing.T, a answer, status int, heading string) {
	t.Helper()
	wantStatus(t, heading, a, status)
	said := regexp.MustCompile(`(?s)<h1>(.*)</h1>.*<a href="(.*)">`).FindStringSubmatch(a.Body)
	if len(said) != 3 || said[1] != heading || said[2] != "http://localhost:3000/" || strings.Contains(a.Body, "client") {
		t.Errorf("%q: %s", said, a.Body)
	}
	equal(t, "headers", []string{a.Header.Get("Content-Type"), a.Header.Get("Location"), a.Header.Get("Vary")},
		[]string{"text/html; charset=utf-8", "", "Accept"})
}

// TestPeopleSeeAPage also when it is not the application's fault, and where programs get JSON.
func TestPeopleSeeAPage(t *testing.T) {
	t.Parallel()
	s := start(t, setup{databaseURL: "postgres://nobody@127.0.0.1:1/none"})
	q := app{ID: "a-client"}.request().Encode()
	wantPage(t, s.get(t, authorizePath+"?"+q, browser...), http.StatusServiceUnavailable, "Sign-in is not available")
	form := append([]string{"Content-Type", "text/plain"}, browser...)
	for _, path := range []string{authorizePath, "/oauth2/logout"} {
		wantPage(t, s.request(t, http.MethodPost, path, q, form...), http.StatusUnsupportedMediaType, "That did not work")
	}
	for _, path := range []string{"/oauth2/userinfo", "/nowhere"} {
		equal(t, path, s.get(t, path, browser...).Header.Get("Content-Type"), "application/problem+json")
	}
}

// TestANativeAppComesBack is RFC 8252 sections 7.1 and 7.3.
func TestANativeAppComesBack(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	a := s.addClient(t, oidc.Registration{
		Public: true, Scope: allScopes, Redirects: []string{"http://127.0.0.1/back", "com.example.app:/back"},
	})
	for uri, want := range map[string]int{
		"com.example.app:/back":        http.StatusSeeOther,
		"http://127.0.0.1/back":        http.StatusSeeOther,
		"http://127.0.0.1:49152/back":  http.StatusSeeOther,
		"http://127.0.0.1:/back":       http.StatusBadRequest,
		"http://127.0.0.1:49152/back/": http.StatusBadRequest,
		"http://localhost:49152/back":  http.StatusBadRequest,
		"https://127.0.0.1:49152/back": http.StatusBadRequest,
		"com.example.app:/back/":       http.StatusBadRequest,
	} {
		q := set(a.request(), map[string]string{"redirect_uri": uri})
		wantStatus(t, uri, s.get(t, authorizePath+"?"+q.Encode()), want)
	}
}

func TestThePersonDecides(t *testing.T) {
	t.Parallel()
	s, clock := startWithClock(t)
	signedIn := s.tokens(t)
	access := signedIn.Access
	a := s.client(t, allScopes)
	if no := s.decided(t, access, a.request(), false); no.Get("error") != "access_denied" || no.Has("code") {
		t.Errorf("denied: %v", no)
	}
	twice := a.request()
	twice.Add("scope", "openid")
	equal(t, "a parameter twice", s.decided(t, access, twice, true).Get("error"), "invalid_request")
	for _, row := range [][2]string{{"max_age", "0"}, {"max_age", "1"}, {"max_age", "10000"}, {"prompt", "login"}} {
		clock.advance(3 * time.Hour)
		asked := set(a.request(), map[string]string{row[0]: row[1]}).Encode()
		q := response(t, s.get(t, authorizePath+"?"+asked).Header.Get("Location"), consentURL)
		wantStatus(t, "an old sign-in", s.decide(t, access, q, true), http.StatusConflict)
		access = s.signIn(t)
		clock.advance(9 * time.Minute) // to decide
		s.code(t, access, q)
	}
	tomorrow := strconv.FormatInt(clock.now().Add(24*time.Hour).Unix(), 10)
	s.code(t, access, set(a.request(), map[string]string{"max_age": "10000", "requested_at": tomorrow}))
	s.logout(t, signedIn.Refresh)
	wantStatus(t, "signed out", s.decide(t, signedIn.Access, a.request(), true), http.StatusUnauthorized)
}

// FuzzAuthorize checks that no query is answered with a 5xx, and that the browser
// goes nowhere but to the consent page and the client's own URI, to that with an
// error and the state as it came.
func FuzzAuthorize(f *testing.F) {
	s := start(f, setup{})
	a := s.client(f, allScopes)
	good := a.request()
	f.Add(good.Encode())
	for name := range good {
		for _, text := range append(hostile(), "https://evil.example/", callback+"/", "plain", "token", "none") {
			q := a.request()
			q.Set(name, text)
			f.Add(q.Encode())
		}
		f.Add(good.Encode() + "&" + name + "=x")
	}
	f.Add("%zz")
	f.Add("client_id=" + a.ID + ";redirect_uri=x")
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, authorizePath, nil)
		r.URL.RawQuery = query
		res := httptest.NewRecorder()
		s.router.ServeHTTP(res, r)
		to := res.Header().Get("Location")
		if res.Code == http.StatusBadRequest && to == "" {
			return
		}
		asked, err := url.ParseQuery(query)
		if err != nil || res.Code != http.StatusSeeOther {
			t.Fatalf("%q: %d to %q", query, res.Code, to)
		}
		if strings.HasPrefix(to, consentURL+"?") {
			return
		}
		rest, ours := strings.CutPrefix(to, callback+"&")
		back, err := url.ParseQuery(rest)
		sameState := len(asked["state"]) != 1 || back.Get("state") == asked.Get("state")
		if !ours || err != nil || back.Get("error") == "" || !sameState {
			t.Errorf("%q: sent to %q", query, to)
		}
	})
}
