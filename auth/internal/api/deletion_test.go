package api_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"craftista/auth/internal/account"
)

const deletePath = "/api/auth/me/delete"

func (s *service) deleteMe(t *testing.T, access, password string) answer {
	t.Helper()
	return s.postJSON(t, deletePath, map[string]string{"password": password}, "Authorization", "Bearer "+access)
}

// registered registers a person with that name and signs them in.
func (s *service) registered(t *testing.T, name string) answer {
	t.Helper()
	wantStatus(t, "register", s.register(t, name, name+"@example.com", password), http.StatusOK)
	return s.login(t, name, password)
}

func TestADeletedAccountIsNobodys(t *testing.T) {
	t.Parallel()
	s, box := startWithMail(t)
	mine := s.tokens(t)
	s.registered(t, "Admin")
	await(t, box, 2)
	s.exec(t, `UPDATE auth.users SET role = 'admin' WHERE username = 'Admin'`)
	admin := read[tokens](t, s.login(t, "Admin", password)).Access
	app := s.client(t, allScopes)
	granted := s.grant(t, mine.Access, app, allScopes)
	s.forgot(t, "crane@example.com")
	link := tokenOf(t, await(t, box, 3), "/reset")
	wantProblem(t, s.deleteMe(t, mine.Access, "a guess"), http.StatusUnprocessableEntity, deletePath,
		"the request breaks a rule", field("password", "is wrong"))

	wantNoContent(t, "delete", s.deleteMe(t, mine.Access, password))
	s.refusesRefresh(t, mine.Refresh)
	equal(t, "an application", s.exchange(t, app, refreshGrant(granted.Refresh)).Error, "invalid_grant")
	wantStatus(t, "the access token", s.getAs(t, mine.Access, mePath), http.StatusUnauthorized)
	if got := s.get(t, revokedPath); !strings.Contains(got.Body, `"1"`) {
		t.Errorf("other services do not learn that the sign-in ended: %s", got.Body)
	}
	wantStatus(t, "sign-in", s.login(t, "Crane", password), http.StatusUnauthorized)
	wantStatus(t, "sign-in by address", s.login(t, "crane@example.com", password), http.StatusUnauthorized)
	wantBadToken(t, resetPath, s.reset(t, link, newPassword))
	s.wantCount(t, "what is left of the person", `SELECT count(*) FROM auth.users
		WHERE id = 1 AND email = 'deleted 1' AND password_hash = 'none' AND email_verified_at IS NULL`, 1)
	s.wantCount(t, "codes and tokens", `SELECT (SELECT count(*) FROM auth.codes)
		+ (SELECT count(*) FROM auth.mail_tokens WHERE user_id = 1)`, 0)
	if got := s.getAs(t, admin, usersPath); strings.Contains(got.Body, "Crane") {
		t.Errorf("admins see the person: %s", got.Body)
	}
	wantStatus(t, "enabled", s.put(t, admin, "/1/disabled", `{"disabled":false}`), http.StatusNotFound)
	wantStatus(t, "an admin", s.put(t, admin, "/1/role", `{"role":"admin"}`), http.StatusNotFound)
	wantStatus(t, "the address is free", s.register(t, "Heron", "crane@example.com", password), http.StatusOK)
	s.wantLog(t, `"msg":"account deleted","service":"auth","user_id":1`)
}

// TestVotesAreTakenBackHoweverLongThatTakes has a catalogue that is unavailable at first, and votes that come while an
// access token is still good somewhere.
func TestVotesAreTakenBackHoweverLongThatTakes(t *testing.T) {
	t.Parallel()
	clock, away := newClock(), errors.New("the catalogue does not answer")
	var asked []account.Person
	var answer error
	s := start(t, setup{now: clock.now, forget: func(p account.Person) error {
		asked = append(asked, p)
		return answer
	}})
	s.person(t)
	other := read[tokens](t, s.registered(t, "Heron")).Access
	wantNoContent(t, "delete", s.deleteMe(t, s.signIn(t), password))
	who := int64(1)
	round := func(after time.Duration, how error, times int) {
		t.Helper()
		clock.advance(after)
		asked, answer = nil, how
		if err := s.deletions.Round(t.Context()); !errors.Is(err, how) {
			t.Errorf("the round ends with %v, want %v", err, how)
		}
		equal(t, "how often it is asked", len(asked), times)
		for _, p := range asked {
			equal(t, "whom it forgets", p, account.Person{ID: who, Role: "user"})
		}
	}
	round(0, away, 1)
	round(time.Minute, away, 1)
	round(time.Minute, nil, 1)
	round(time.Minute, nil, 0)
	round(13*time.Minute, nil, 1) // no token is good any more
	round(time.Minute, nil, 0)

	wantStatus(t, "the name", s.register(t, "CRANE", "another@example.com", password), http.StatusConflict)
	round(30*day-18*time.Minute, nil, 0)
	wantStatus(t, "a minute before", s.register(t, "CRANE", "another@example.com", password), http.StatusConflict)
	round(time.Minute, nil, 0)
	wantStatus(t, "after 30 days", s.register(t, "CRANE", "another@example.com", password), http.StatusOK)
	s.wantCount(t, "what is left", `SELECT count(*) FROM auth.users WHERE deleted_at IS NOT NULL`, 0)

	who = 2
	wantNoContent(t, "another", s.deleteMe(t, other, password))
	round(60*day, away, 1)
	s.wantCount(t, "who is not forgotten stays", `SELECT count(*) FROM auth.users WHERE deleted_at IS NOT NULL`, 1)
}

func TestTheLastAdminCannotDeleteThemselves(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	others := []string{read[tokens](t, s.registered(t, "Heron")).Access, s.signIn(t)}
	s.exec(t, `UPDATE auth.users SET role = 'admin'`)
	got := atOnce(2, func(i int) int { return s.deleteMe(t, others[i], password).Status })
	equal(t, "how often each status", got, map[int]int{http.StatusNoContent: 1, http.StatusConflict: 1})
	s.wantCount(t, "admins", `SELECT count(*) FROM auth.users WHERE role = 'admin' AND disabled_at IS NULL`, 1)
}
