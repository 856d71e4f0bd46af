package api_test

import (
	"net/http"
	"net/url"
	"testing"
)

func TestUserinfoTellsWhatTheScopeCovers(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	access := s.signIn(t)
	a := s.client(t, allScopes)
	for _, row := range [][2]string{
		{"openid", `{"sub":"1"}`},
		{"openid profile", `{"sub":"1","preferred_username":"Crane"}`},
		{"openid email", `{"sub":"1","email":"Crane@Example.com","email_verified":false}`},
	} {
		equal(t, row[0], s.getAs(t, s.grant(t, access, a, row[0]).Access, userinfoPath).Body, row[1])
	}
	s.exec(t, `UPDATE auth.users SET email_verified_at = now()`)
	verified := s.grant(t, access, a, allScopes)
	want := `{"sub":"1","preferred_username":"Crane","email":"Crane@Example.com","email_verified":true}`
	equal(t, "a verified address", s.getAs(t, verified.Access, userinfoPath).Body, want)
	equal(t, "the ID token's", claimsOf(t, verified.ID).claims["email_verified"], any(true))
	got := s.grant(t, access, a, "votes:write")
	wantStatus(t, "without openid", s.getAs(t, got.Access, userinfoPath), http.StatusForbidden)
	equal(t, "ID token without openid", got.ID, "")
}

func TestOnlyItsOwnClientLearnsAboutATokenAndRevokesIt(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	access := s.signIn(t)
	a, other := s.client(t, allScopes), s.client(t, allScopes)
	active := func(as app, raw string) bool {
		got := s.post(t, "/oauth2/introspect", as, url.Values{"token": {raw}})
		wantStatus(t, "introspect", got, http.StatusOK)
		return read[map[string]any](t, got)["active"] == true
	}
	for kind, of := range map[string]func(granted) string{
		"access token":  func(g granted) string { return g.Access },
		"refresh token": func(g granted) string { return g.Refresh },
	} {
		got := s.grant(t, access, a, allScopes)
		revoke := url.Values{"token": {of(got)}}
		s.post(t, "/oauth2/revoke", other, revoke)
		for _, raw := range []string{got.Access, got.Refresh} {
			equal(t, "active to its client and to another", []bool{active(a, raw), active(other, raw)}, []bool{true, false})
		}
		wantStatus(t, "revoke by "+kind, s.post(t, "/oauth2/revoke", a, revoke), http.StatusOK)
		if active(a, got.Access) || active(a, got.Refresh) {
			t.Errorf("active after it was revoked by %s", kind)
		}
		equal(t, "refresh after that", s.exchange(t, a, refreshGrant(got.Refresh)).Error, "invalid_grant")
		wantStatus(t, "userinfo after that", s.getAs(t, got.Access, userinfoPath), http.StatusUnauthorized)
	}
	for _, raw := range []string{"x", "a.b.c", access, "\u202e"} {
		equal(t, raw+" is active", active(a, raw), false)
	}
	for _, as := range []app{s.publicClient(t), {a.ID, "x"}, {}} {
		got := s.post(t, "/oauth2/introspect", as, url.Values{"token": {access}})
		wantStatus(t, "introspect as "+as.ID, got, http.StatusUnauthorized)
	}
	machine := s.machine(t, "votes:read")
	own := s.exchange(t, machine, clientGrant())
	got := read[granted](t, s.post(t, "/oauth2/revoke", machine, url.Values{"token": {own.Access}}))
	equal(t, "revoking a client's own", got.Error, "unsupported_token_type")
	equal(t, "a client's own is active", active(machine, own.Access), true)
}
