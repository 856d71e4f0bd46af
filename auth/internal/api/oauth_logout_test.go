package api_test

import (
	"net/http"
	"net/url"
	"testing"
)

func TestLogoutEndsTheClientsSignInsOnly(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	site := s.tokens(t)
	a, other := s.client(t, allScopes), s.client(t, allScopes)
	got, theirs := s.grant(t, site.Access, a, allScopes), s.grant(t, site.Access, other, allScopes)
	for name, q := range map[string]url.Values{
		"no hint":           {},
		"an access token":   {"id_token_hint": {got.Access}},
		"another client":    {"id_token_hint": {got.ID}, "client_id": {other.ID}},
		"a cut hint":        {"id_token_hint": {got.ID[:len(got.ID)-9]}},
		"another page":      {"id_token_hint": {got.ID}, "post_logout_redirect_uri": {"https://app.example/bye/"}},
		"the redirect page": {"id_token_hint": {got.ID}, "post_logout_redirect_uri": {callback}},
		"a state twice":     {"id_token_hint": {got.ID}, "state": {"a", "b"}},
	} {
		a := s.get(t, "/oauth2/logout?"+q.Encode())
		wantStatus(t, name, a, http.StatusBadRequest)
		equal(t, name, a.Header.Get("Location"), "")
		wantPage(t, s.get(t, "/oauth2/logout?"+q.Encode(), browser...), http.StatusBadRequest, "That did not work")
	}
	got = s.exchange(t, a, refreshGrant(got.Refresh))
	hint := s.grant(t, site.Access, a, allScopes).ID
	q := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://app.example/bye"}, "state": {"s&t"}}
	done := s.post(t, "/oauth2/logout", app{}, q)
	wantStatus(t, "logout", done, http.StatusSeeOther)
	equal(t, "Location", done.Header.Get("Location"), "https://app.example/bye?state=s%26t")
	if again := s.exchange(t, a, refreshGrant(got.Refresh)); got.Refresh == "" || again.Error != "invalid_grant" {
		t.Errorf("refreshed after the logout: %+v", again)
	}
	wantStatus(t, "another client", s.post(t, tokenPath, other, refreshGrant(theirs.Refresh)), http.StatusOK)
	wantPage(t, s.get(t, "/oauth2/logout?id_token_hint="+hint, browser...), http.StatusOK, "You are signed out")
	wantStatus(t, "the site", s.refresh(t, site.Refresh), http.StatusOK)
}
