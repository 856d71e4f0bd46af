package api_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"craftista/db/pgtest"
)

const (
	refreshPath = "/api/auth/refresh"
	logoutPath  = "/api/auth/logout"
)

func (s *service) refresh(t *testing.T, raw string) answer {
	t.Helper()
	return s.postJSON(t, refreshPath, map[string]string{"refresh_token": raw})
}

func (s *service) logout(t *testing.T, raw string) answer {
	t.Helper()
	return s.postJSON(t, logoutPath, map[string]string{"refresh_token": raw})
}

func (s *service) refreshed(t *testing.T, raw string) tokens {
	t.Helper()
	a := s.refresh(t, raw)
	if a.Status != http.StatusOK {
		t.Fatalf("refresh: %d %s", a.Status, a.Body)
	}
	return read[tokens](t, a)
}

func (s *service) refusesRefresh(t *testing.T, raw string) {
	t.Helper()
	a := s.refresh(t, raw)
	wantProblem(t, a, http.StatusUnauthorized, refreshPath, "the refresh token is no longer valid, sign in again")
	equal(t, "WWW-Authenticate", a.Header.Get("WWW-Authenticate"), `Bearer error="invalid_token"`)
}

func TestRefreshTenTimesInSequence(t *testing.T) {
	t.Parallel()
	s, clock := startWithClock(t)
	last := s.tokens(t)
	seen := map[string]bool{last.Refresh: true}
	for range 10 {
		clock.advance(time.Hour)
		next := s.refreshed(t, last.Refresh)
		equal(t, "reply", next, tokens{next.Access, "Bearer", 900, next.Refresh, 2592000})
		if seen[next.Refresh] {
			t.Fatal("a refresh token came twice")
		}
		seen[next.Refresh] = true
		a := s.getAs(t, next.Access, statusPath)
		if !read[statusReply](t, a).Authenticated {
			t.Errorf("the new access token: %s", a.Body)
		}
		last = next
	}
	s.wantCount(t, "families", `SELECT count(*) FROM auth.refresh_families`, 1)
}

func TestRefreshTokensAreStoredAsHashes(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	raw := s.tokens(t).Refresh
	hash := fmt.Sprintf(`\x%x`, sha256.Sum256([]byte(raw)))
	s.wantCount(t, "hashes", `SELECT count(*) FROM auth.refresh_tokens WHERE hash = '`+hash+`'`, 1)
}

func TestUsedTokenWorksInsideItsGrace(t *testing.T) {
	t.Parallel()
	s, clock := startWithClock(t)
	first := s.tokens(t).Refresh
	second := s.refreshed(t, first).Refresh
	clock.advance(9 * time.Second)
	other := s.refreshed(t, first).Refresh // of the lost answer, or the second tab
	clock.advance(time.Minute)
	s.refreshed(t, second)
	s.refreshed(t, other)
	if strings.Contains(s.logs.String(), "reused") {
		t.Errorf("a security event is logged:\n%s", s.logs)
	}
}

func TestReuseAfterTheGraceEndsTheFamily(t *testing.T) {
	t.Parallel()
	s, clock := startWithClock(t)
	apart := s.tokens(t).Refresh
	first := s.tokens(t).Refresh
	second := s.refreshed(t, first).Refresh
	clock.advance(9 * time.Second)
	s.refreshed(t, first) // does not prolong the grace
	clock.advance(2 * time.Second)
	s.refusesRefresh(t, first)
	s.refusesRefresh(t, second) // not used yet, whoever has it
	s.refusesRefresh(t, first)
	s.refreshed(t, apart)
	logged := s.logs.String()
	const event = `"level":"WARN","msg":"refresh token reused","service":"auth","user_id":1,"family_id":2`
	equal(t, "times that the event is logged", strings.Count(logged, event), 1)
	for _, raw := range []string{first, second, apart} {
		if strings.Contains(logged, raw) {
			t.Error("a token is in the log")
		}
	}
}

// TestRefreshAtOnce has two replicas get one token from fifty tabs.
func TestRefreshAtOnce(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	same := setup{databaseURL: d.AuthURL, now: newClock().now} // all within the grace
	one, two := start(t, same), start(t, same)
	one.person(t)
	raw := one.tokens(t).Refresh
	replicas := []*service{one, two}
	children := atOnce(50, func(i int) string {
		a := replicas[i%2].refresh(t, raw)
		for a.Status == http.StatusServiceUnavailable { // a busy machine's, since all wait for one row
			a = replicas[i%2].refresh(t, raw)
		}
		return read[tokens](t, a).Refresh
	})
	equal(t, "different tokens", len(children), 50)
	equal(t, "refusals", children[""], 0)
	for child := range children {
		two.refreshed(t, child)
		break
	}
	one.wantCount(t, "families", `SELECT count(*) FROM auth.refresh_families WHERE revoked_at IS NULL`, 1)
}

// TestReuseAndRefreshAtOnce: whatever comes first, nobody is signed in after a
// copy was used.
func TestReuseAndRefreshAtOnce(t *testing.T) {
	t.Parallel()
	s, clock := startWithClock(t)
	first := s.tokens(t).Refresh
	second := s.refreshed(t, first).Refresh
	clock.advance(time.Minute)
	children := atOnce(20, func(i int) string {
		return read[tokens](t, s.refresh(t, []string{first, second}[i%2])).Refresh // "" if it is refused
	})
	delete(children, "")
	for raw := range children {
		s.refusesRefresh(t, raw)
	}
	s.refusesRefresh(t, first)
	s.refusesRefresh(t, second)
}

func TestRefreshTokensSlideUpToTheFamilysEnd(t *testing.T) {
	t.Parallel()
	s, clock := startWithClock(t)
	unused, used := s.tokens(t).Refresh, s.tokens(t).Refresh
	clock.advance(30*day - time.Second)
	used = s.refreshed(t, used).Refresh
	clock.advance(time.Second)
	s.refusesRefresh(t, unused)
	clock.advance(29 * day)
	next := s.refreshed(t, used) // on day 59
	equal(t, "seconds left on day 59", next.RefreshExpiresIn, int64(30*day/time.Second))
	clock.advance(29 * day)
	next = s.refreshed(t, next.Refresh) // on day 88
	equal(t, "seconds left on day 88", next.RefreshExpiresIn, int64(2*day/time.Second))
	clock.advance(2*day - time.Second)
	last := s.refreshed(t, next.Refresh)
	clock.advance(time.Second)
	s.refusesRefresh(t, last.Refresh)

	s.tokens(t) // signing in again deletes expired families
	s.wantCount(t, "families left", `SELECT count(*) FROM auth.refresh_families`, 1)
	s.wantCount(t, "tokens left", `SELECT count(*) FROM auth.refresh_tokens`, 1)
}

func TestRefreshRefusesWithOneText(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
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

func TestDisabledPeopleGetNoTokens(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	raw := s.tokens(t).Refresh
	s.exec(t, `UPDATE auth.users SET disabled_at = now()`)
	s.refusesRefresh(t, raw)
	wantProblem(t, s.login(t, "Crane", password), http.StatusUnauthorized, loginPath, "wrong username or password")
	s.exec(t, `UPDATE auth.users SET disabled_at = NULL`)
	s.tokens(t)
}

func TestLogoutEndsTheFamily(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	apart := s.tokens(t).Refresh
	for name, pick := range map[string]func(used, newest string) string{
		"by its newest token": func(_, newest string) string { return newest },
		"by a used token":     func(used, _ string) string { return used },
	} {
		used := s.tokens(t).Refresh
		newest := s.refreshed(t, used).Refresh
		a := s.logout(t, pick(used, newest))
		wantNoContent(t, name, a)
		s.refusesRefresh(t, newest)
		s.refusesRefresh(t, used)
	}
	s.refreshed(t, apart)
}

func TestLogoutIs204WhateverTheToken(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	good := s.tokens(t)
	s.logout(t, good.Refresh)
	for _, raw := range []string{good.Refresh, good.Access, "", "x", "\x00", "<script>", strings.Repeat("A", 60_000)} {
		wantStatus(t, fmt.Sprintf("%.20q", raw), s.logout(t, raw), http.StatusNoContent)
	}
	s.tokens(t) // signing in is another matter
}
