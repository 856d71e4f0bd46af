package api_test

import (
	"net/http"
	"testing"
	"time"
)

func TestThePersonDecides(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now})
	s.person(t)
	signedIn := s.tokens(t)
	a := s.client(t, []string{callback}, "openid profile email votes:write", false)
	no := response(t, read[map[string]string](t, s.decide(t, signedIn.Access, a.asking(), false))["redirect_to"], callback)
	if no.Get("error") != "access_denied" || no.Has("code") {
		t.Errorf("denied: %v", no)
	}
	twice := a.asking()
	twice.Add("scope", "openid")
	if got := response(t, read[map[string]string](t, s.decide(t, signedIn.Access, twice, true))["redirect_to"], callback); got.Get("error") != "invalid_request" {
		t.Errorf("a parameter twice: %v", got)
	}
	clock.advance(time.Hour)
	for name, value := range map[string]string{"max_age": "60", "prompt": "login"} {
		old := a.asking()
		old.Set(name, value)
		if got := s.decide(t, signedIn.Access, old, true); got.Status != http.StatusConflict {
			t.Errorf("an old sign-in: %d %s", got.Status, got.Body)
		}
		s.code(t, s.signIn(t), old)
	}
	s.logout(t, signedIn.Refresh)
	if got := s.decide(t, signedIn.Access, a.asking(), true); got.Status != http.StatusUnauthorized {
		t.Errorf("signed out: %d %s", got.Status, got.Body)
	}
}
