package api_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const all = "openid profile email votes:write"

// grant has the person grant the client all that it asks for.
func (s *service) grant(t *testing.T, access string, a app) granted {
	t.Helper()
	return read[granted](t, s.post(t, tokenPath, a, a.redeeming(s.code(t, access, a.asking()))))
}

func TestUserinfoTellsWhatTheScopeCovers(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	access := s.signIn(t)
	a := s.client(t, []string{callback}, all, false)
	for scope, want := range map[string]string{
		"openid":               `{"sub":"1"}`,
		"openid profile":       `{"sub":"1","preferred_username":"Crane"}`,
		"openid email":         `{"sub":"1","email":"Crane@Example.com"}`,
		"openid profile email": `{"sub":"1","preferred_username":"Crane","email":"Crane@Example.com"}`,
	} {
		q := a.asking()
		q.Set("scope", scope)
		got := read[granted](t, s.post(t, tokenPath, a, a.redeeming(s.code(t, access, q))))
		if told := s.get(t, "/oauth2/userinfo", "Authorization", "Bearer "+got.Access); told.Body != want {
			t.Errorf("%s: %d %s, want %s", scope, told.Status, told.Body, want)
		}
	}
	q := a.asking()
	q.Set("scope", "votes:write")
	got := read[granted](t, s.post(t, tokenPath, a, a.redeeming(s.code(t, access, q))))
	if told := s.get(t, "/oauth2/userinfo", "Authorization", "Bearer "+got.Access); told.Status != http.StatusForbidden || got.ID != "" {
		t.Errorf("without openid: %d %s, ID token %q", told.Status, told.Body, got.ID)
	}
}

func TestOnlyItsOwnClientLearnsAboutATokenAndRevokesIt(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	access := s.signIn(t)
	a, other, public := s.client(t, []string{callback}, all, false), s.client(t, []string{callback}, all, false), s.client(t, []string{callback}, all, true)
	active := func(as app, raw string) bool {
		got := s.post(t, "/oauth2/introspect", as, url.Values{"token": {raw}})
		if got.Status != http.StatusOK {
			t.Errorf("introspect: %d %s", got.Status, got.Body)
		}
		return read[map[string]any](t, got)["active"] == true
	}
	for _, kind := range []func(granted) string{func(g granted) string { return g.Access }, func(g granted) string { return g.Refresh }} {
		got := s.grant(t, access, a)
		s.post(t, "/oauth2/revoke", other, url.Values{"token": {kind(got)}})
		if !active(a, got.Access) || !active(a, got.Refresh) || active(other, got.Access) || active(other, got.Refresh) {
			t.Error("not active to its client alone")
		}
		if done := s.post(t, "/oauth2/revoke", a, url.Values{"token": {kind(got)}}); done.Status != http.StatusOK {
			t.Errorf("revoke: %d %s", done.Status, done.Body)
		}
		if active(a, got.Access) || active(a, got.Refresh) {
			t.Error("active after it was revoked")
		}
		if again := read[granted](t, s.post(t, tokenPath, a, refreshing(got.Refresh))); again.Error != "invalid_grant" {
			t.Errorf("refreshed after it was revoked: %+v", again)
		}
		if told := s.get(t, "/oauth2/userinfo", "Authorization", "Bearer "+got.Access); told.Status != http.StatusUnauthorized {
			t.Errorf("userinfo after it was revoked: %d", told.Status)
		}
	}
	for _, raw := range []string{"x", "a.b.c", access, "\u202e"} {
		if active(a, raw) {
			t.Errorf("%q is active", raw)
		}
	}
	for _, as := range []app{public, {a.ID, "x"}, {}} {
		if got := s.post(t, "/oauth2/introspect", as, url.Values{"token": {access}}); got.Status != http.StatusUnauthorized {
			t.Errorf("introspect as %q: %d %s", as.ID, got.Status, got.Body)
		}
	}
	machine := s.client(t, nil, "votes:read", false)
	own := read[granted](t, s.post(t, tokenPath, machine, url.Values{"grant_type": {"client_credentials"}}))
	if got := read[granted](t, s.post(t, "/oauth2/revoke", machine, url.Values{"token": {own.Access}})); !active(machine, own.Access) || got.Error != "unsupported_token_type" {
		t.Errorf("a client's own: %+v", got)
	}
}

func TestLogoutEndsTheClientsSignInsOnly(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	site := s.tokens(t)
	a, other := s.client(t, []string{callback}, all, false), s.client(t, []string{callback}, all, false)
	got, theirs := s.grant(t, site.Access, a), s.grant(t, site.Access, other)
	for name, q := range map[string]url.Values{
		"no hint":           {},
		"an access token":   {"id_token_hint": {got.Access}},
		"another client":    {"id_token_hint": {got.ID}, "client_id": {other.ID}},
		"a cut hint":        {"id_token_hint": {got.ID[:len(got.ID)-9]}},
		"another page":      {"id_token_hint": {got.ID}, "post_logout_redirect_uri": {"https://app.example/bye/"}},
		"the redirect page": {"id_token_hint": {got.ID}, "post_logout_redirect_uri": {callback}},
		"a state twice":     {"id_token_hint": {got.ID}, "state": {"a", "b"}},
	} {
		if a := s.visit(t, http.MethodGet, "/oauth2/logout?"+q.Encode(), ""); a.Status != http.StatusBadRequest || a.Header.Get("Location") != "" {
			t.Errorf("%s: %d to %q", name, a.Status, a.Header.Get("Location"))
		}
	}
	got = read[granted](t, s.post(t, tokenPath, a, refreshing(got.Refresh)))
	hint := s.grant(t, site.Access, a).ID
	q := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://app.example/bye"}, "state": {"s&t"}}
	done := s.visit(t, http.MethodPost, "/oauth2/logout", q.Encode())
	if diff := cmp.Diff(done.Header.Get("Location"), "https://app.example/bye?state=s%26t"); diff != "" || done.Status != http.StatusSeeOther {
		t.Errorf("%d, location (-got +want):\n%s", done.Status, diff)
	}
	if again := read[granted](t, s.post(t, tokenPath, a, refreshing(got.Refresh))); got.Refresh == "" || again.Error != "invalid_grant" {
		t.Errorf("refreshed after the logout: %+v", again)
	}
	if still := s.post(t, tokenPath, other, refreshing(theirs.Refresh)); still.Status != http.StatusOK {
		t.Errorf("another client: %d %s", still.Status, still.Body)
	}
	if still := s.refresh(t, site.Refresh); still.Status != http.StatusOK {
		t.Errorf("the site: %d %s", still.Status, still.Body)
	}
}
