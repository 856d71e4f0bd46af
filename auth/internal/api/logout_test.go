package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefreshRefusesWithOneText(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	good := s.tokens(t)
	for name, raw := range map[string]string{
		"an access token":   good.Access,
		"a part of it":      good.Refresh[:42],
		"it and more":       good.Refresh + "A",
		"it in another way": " " + good.Refresh,
		"hostile text":      "'; DROP TABLE auth.users; --\x00",
		"endless":           strings.Repeat("A", 60_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.refusesRefresh(t, raw)
		})
	}
}

func TestRefreshNeedsTheToken(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for _, body := range []string{`{}`, `{"refresh_token":""}`, `null`} {
		a := s.request(t, http.MethodPost, refreshPath, body)
		if diff := cmp.Diff(read[problem](t, a), problemOf(http.StatusBadRequest, refreshPath, "refresh_token is needed")); diff != "" {
			t.Errorf("%s: problem (-got +want):\n%s", body, diff)
		}
	}
}

func TestTokensOfAClientAreNotTheSites(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	raw := s.tokens(t).Refresh
	s.exec(t, s.admin, `UPDATE auth.refresh_families SET client_id = 'another'`)
	s.refusesRefresh(t, raw)
	s.exec(t, s.admin, `UPDATE auth.refresh_families SET client_id = ''`)
	s.refreshed(t, raw) // the stranger did it no harm
}

func TestDisabledPeopleGetNoTokens(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	raw := s.tokens(t).Refresh
	s.exec(t, s.admin, `UPDATE auth.users SET disabled_at = now()`)
	s.refusesRefresh(t, raw)
	want := problemOf(http.StatusUnauthorized, loginPath, "the name or the password is wrong")
	if diff := cmp.Diff(read[problem](t, s.login(t, "Crane", password)), want); diff != "" {
		t.Errorf("problem (-got +want):\n%s", diff)
	}
	s.exec(t, s.admin, `UPDATE auth.users SET disabled_at = NULL`)
	s.tokens(t)
}

func TestLogoutEndsTheFamily(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now})
	s.person(t)
	apart := s.tokens(t).Refresh
	for name, pick := range map[string]func(used, newest string) string{
		"by its newest token": func(_, newest string) string { return newest },
		"by a used token":     func(used, _ string) string { return used },
	} {
		used := s.tokens(t).Refresh
		newest := s.refreshed(t, used).Refresh
		a := s.logout(t, pick(used, newest))
		if a.Status != http.StatusNoContent || a.Body != "" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q", name, a.Status, a.Body)
		}
		s.refusesRefresh(t, newest)
		s.refusesRefresh(t, used)
	}
	s.refreshed(t, apart)
}

func TestLogoutIs204WhateverTheToken(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	good := s.tokens(t)
	s.logout(t, good.Refresh)
	for _, raw := range []string{good.Refresh, good.Access, "", "x", "\x00", "<script>", strings.Repeat("A", 60_000)} {
		if a := s.logout(t, raw); a.Status != http.StatusNoContent {
			t.Errorf("%.20q: %d %s", raw, a.Status, a.Body)
		}
	}
	s.tokens(t) // signing in is another matter
}
