package api_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"craftista/auth/internal/postgres"
	"craftista/shared/token"
)

func TestACodeGivesTokensWithinItsScope(t *testing.T) {
	t.Parallel()
	s, clock := startWithClock(t)
	s.exec(t, `UPDATE auth.users SET role = 'admin'`)
	a := s.client(t, allScopes)
	reply := s.post(t, tokenPath, a, codeGrant(s.code(t, s.signIn(t), a.request())))
	equal(t, "Cache-Control", reply.Header.Get("Cache-Control"), "no-store")
	got := read[granted](t, reply)
	equal(t, "tokens", got, granted{got.Access, "Bearer", 900, got.Refresh, got.ID, allScopes, ""})
	u, err := s.verifier().Verify(t.Context(), got.Access)
	if err != nil || u.Session == "" || got.ID == "" {
		t.Errorf("session %q, ID token %q, error %v", u.Session, got.ID, err)
	}
	equal(t, "user", u, token.User{
		ID: 1, Name: "Crane", Role: token.RoleUser, Session: u.Session, Expires: u.Expires,
		ClientID: a.ID, Scope: allScopes,
	})
	for _, path := range []string{mePath, sessionsPath, usersPath} {
		wantStatus(t, "an application gets "+path, s.getAs(t, got.Access, path), http.StatusForbidden)
	}
	wantStatus(t, "an application changes the password",
		s.changePassword(t, got.Access, password, newPassword), http.StatusForbidden)
	wantStatus(t, "an application approves for the person",
		s.decide(t, got.Access, a.request(), true), http.StatusForbidden)
	wantStatus(t, "an application's token refreshes the site's", s.refresh(t, got.Refresh), http.StatusUnauthorized)

	next := s.exchange(t, a, set(refreshGrant(got.Refresh), map[string]string{"scope": "votes:write"}))
	if u, err := s.verifier().Verify(t.Context(), next.Access); u.Scope != "votes:write" || u.Name != "" || next.ID != "" {
		t.Errorf("narrowed: %+v %v", u, err)
	}
	wide := s.exchange(t, a, set(refreshGrant(next.Refresh), map[string]string{"scope": "votes:read"}))
	equal(t, "widened", wide.Error, "invalid_scope")
	clock.advance(time.Minute)
	equal(t, "after that", s.exchange(t, a, refreshGrant(next.Refresh)).Error, "")
}

// TestRefusedGrants has one change from a valid token request in each row.
func TestRefusedGrants(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	access := s.signIn(t)
	a, other := s.client(t, allScopes), s.client(t, allScopes)
	public, machine := s.publicClient(t), s.machine(t, allScopes)
	for name, row := range map[string]struct {
		as     app
		change map[string]string // "" deletes
		want   string
	}{
		"a wrong verifier":         {a, map[string]string{"code_verifier": verifier + "x"}, "invalid_grant"},
		"no verifier":              {a, map[string]string{"code_verifier": ""}, "invalid_request"},
		"a short verifier":         {a, map[string]string{"code_verifier": "short"}, "invalid_request"},
		"another redirect":         {a, map[string]string{"redirect_uri": callback + "/"}, "invalid_grant"},
		"no redirect":              {a, map[string]string{"redirect_uri": ""}, "invalid_request"},
		"another client's code":    {other, nil, "invalid_grant"},
		"a public client's":        {public, nil, "invalid_grant"},
		"an unknown code":          {a, map[string]string{"code": "x"}, "invalid_grant"},
		"a hostile code":           {a, map[string]string{"code": "\xff\x00"}, "invalid_request"},
		"no code":                  {a, map[string]string{"code": ""}, "invalid_request"},
		"a bad secret":             {app{a.ID, "x"}, nil, "invalid_client"},
		"no secret":                {app{a.ID, ""}, nil, "invalid_client"},
		"another's secret":         {app{a.ID, other.Secret}, nil, "invalid_client"},
		"an unknown client":        {app{"client-x", a.Secret}, nil, "invalid_client"},
		"a hostile client":         {app{"\x00", ""}, nil, "invalid_client"},
		"a public client's secret": {app{public.ID, "x"}, nil, "invalid_client"},
		"nobody":                   {app{}, nil, "invalid_client"},
		"twice who":                {a, map[string]string{"client_secret": "x"}, "invalid_request"},
		"two clients":              {a, map[string]string{"client_id": other.ID}, "invalid_request"},
		"no grant":                 {a, map[string]string{"grant_type": ""}, "invalid_request"},
		"a password":               {a, map[string]string{"grant_type": "password"}, "unsupported_grant_type"},
		"for itself":               {a, map[string]string{"grant_type": "client_credentials"}, "unauthorized_client"},
		"a machine with a code":    {machine, nil, "unauthorized_client"},
		"a refresh without token":  {a, map[string]string{"grant_type": "refresh_token"}, "invalid_request"},
		"an unknown refresh": {a, map[string]string{"grant_type": "refresh_token", "refresh_token": "x"},
			"invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code := s.code(t, access, a.request())
			got := s.post(t, tokenPath, row.as, set(codeGrant(code), row.change))
			status := http.StatusBadRequest
			if row.want == "invalid_client" {
				status = http.StatusUnauthorized
			}
			wantStatus(t, row.want, got, status)
			equal(t, "error", read[granted](t, got).Error, row.want)
			equal(t, "Cache-Control", got.Header.Get("Cache-Control"), "no-store")
			basic := strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Basic")
			equal(t, "asked for Basic", basic, status == http.StatusUnauthorized)
			wantStatus(t, "the code is spent", s.post(t, tokenPath, a, codeGrant(code)), http.StatusOK)
		})
	}
}

func TestACodeTwiceEndsWhatItGave(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	a := s.publicClient(t)
	own := func(form url.Values) url.Values { return set(form, map[string]string{"client_id": a.ID}) }
	form := own(codeGrant(s.code(t, s.signIn(t), a.request())))
	first := s.exchange(t, app{}, form)
	if first.Refresh == "" {
		t.Fatal("a public client gets no tokens")
	}
	equal(t, "oidcc-codereuse", s.exchange(t, app{}, form).Error, "invalid_grant")
	wantStatus(t, "oidcc-codereuse-30seconds", s.getAs(t, first.Access, userinfoPath), http.StatusUnauthorized)
	equal(t, "its refresh token", s.exchange(t, app{}, own(refreshGrant(first.Refresh))).Error, "invalid_grant")
}

func TestACodeAtOnceGivesOneFamilyAtMost(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	a := s.client(t, allScopes)
	form := codeGrant(s.code(t, s.signIn(t), a.request()))
	got := atOnce(8, func(int) int { return s.post(t, tokenPath, a, form).Status })
	equal(t, "how often each status", got, map[int]int{http.StatusOK: 1, http.StatusBadRequest: 7})
	s.wantCount(t, "active families",
		`SELECT count(*) FROM auth.refresh_families WHERE client_id <> '' AND revoked_at IS NULL`, 0)
}

func TestAnEndedClientGetsNothing(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	access := s.signIn(t)
	for name, end := range map[string]func(*postgres.Store, context.Context, string) error{
		"disabled": (*postgres.Store).DisableClient, "deleted": (*postgres.Store).DeleteClient,
	} {
		a, other := s.client(t, allScopes), s.client(t, allScopes)
		got, theirs := s.grant(t, access, a, allScopes), s.grant(t, access, other, allScopes)
		code, store := s.code(t, access, a.request()), postgres.NewStore(s.db)
		if err := end(store, t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		equal(t, name+": code", s.exchange(t, a, codeGrant(code)).Error, "invalid_client")
		equal(t, name+": refresh", s.exchange(t, a, refreshGrant(got.Refresh)).Error, "invalid_client")
		wantStatus(t, name+": request", s.get(t, authorizePath+"?"+a.request().Encode()), http.StatusBadRequest)
		wantStatus(t, name+": userinfo", s.getAs(t, got.Access, userinfoPath), http.StatusUnauthorized)
		wantStatus(t, name+": another's userinfo", s.getAs(t, theirs.Access, userinfoPath), http.StatusOK)
		if err := store.EnableClient(t.Context(), a.ID); (err == nil) != (name == "disabled") {
			t.Errorf("enable: %v", err)
		}
		equal(t, name+": its codes and families are over", []bool{
			s.exchange(t, a, codeGrant(code)).Access == "", s.exchange(t, a, refreshGrant(got.Refresh)).Access == "",
		}, []bool{true, true})
	}
}

func TestCodesExpireAfterAMinuteAndWithThePerson(t *testing.T) {
	t.Parallel()
	s, clock := startWithClock(t)
	a := s.client(t, allScopes)
	code := s.code(t, s.signIn(t), a.request())
	clock.advance(time.Minute)
	equal(t, "an expired code", s.exchange(t, a, codeGrant(code)).Error, "invalid_grant")
	code = s.code(t, s.signIn(t), a.request())
	s.exec(t, `UPDATE auth.users SET disabled_at = now()`)
	equal(t, "a disabled person's code", s.exchange(t, a, codeGrant(code)).Error, "invalid_grant")
}

// TestACodeEndsWithWhatItStandsOn changes the person between approval and exchange.
func TestACodeEndsWithWhatItStandsOn(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	a, root := s.client(t, allScopes), s.adminToken(t, "root")
	for name, end := range map[string]func(mine tokens){
		"signed out": func(mine tokens) { s.postJSON(t, logoutPath, map[string]string{"refresh_token": mine.Refresh}) },
		"disabled for a while": func(tokens) {
			s.put(t, root, "/1/disabled", `{"disabled":true}`)
			s.put(t, root, "/1/disabled", `{"disabled":false}`)
		},
		"password changed there": func(mine tokens) {
			wantNoContent(t, "there", s.changePassword(t, mine.Access, password, newPassword))
			wantNoContent(t, "and back", s.changePassword(t, mine.Access, newPassword, password))
		},
		"password changed elsewhere": func(tokens) {
			wantNoContent(t, "elsewhere", s.changePassword(t, s.signIn(t), password, newPassword))
			wantNoContent(t, "and back", s.changePassword(t, read[tokens](t, s.login(t, "Crane", newPassword)).Access,
				newPassword, password))
		},
	} {
		mine := s.tokens(t)
		code := s.code(t, mine.Access, a.request())
		end(mine)
		equal(t, name, s.exchange(t, a, codeGrant(code)).Error, "invalid_grant")
	}
}

func TestAClientForItselfIsNobody(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	a := s.machine(t, "openid votes:read votes:write")
	form := set(clientGrant(), map[string]string{"client_id": a.ID, "client_secret": a.Secret})
	got := s.exchange(t, app{}, form)
	equal(t, "tokens", got, granted{Access: got.Access, Type: "Bearer", ExpiresIn: 900, Scope: "votes:read votes:write"})
	if u, err := s.verifier().Verify(t.Context(), got.Access); err == nil || got.Access == "" {
		t.Errorf("%q passes as %+v", got.Access, u)
	}
	wantStatus(t, "me", s.getAs(t, got.Access, mePath), http.StatusUnauthorized)
	refused := s.exchange(t, a, set(clientGrant(), map[string]string{"scope": "openid"}))
	equal(t, "openid for itself", refused.Error, "invalid_scope")
}
