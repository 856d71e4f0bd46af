package api_test

import (
	"net/http"
	"strings"
	"testing"

	"craftista/shared/fault"
)

const (
	mePath       = "/api/auth/me"
	passwordPath = "/api/auth/password"
	newPassword  = "eight paper cranes"
)

func (s *service) changePassword(t *testing.T, access, current, replacement string) answer {
	t.Helper()
	in := map[string]string{"current_password": current, "new_password": replacement}
	return s.postJSON(t, passwordPath, in, "Authorization", "Bearer "+access)
}

func TestMeIsThePersonAsTheyAreNow(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	raw := s.signIn(t)
	s.exec(t, `UPDATE auth.users SET role = 'curator', created_at = '2026-01-02T03:04:05+02'`)
	a := s.getAs(t, raw, mePath)
	want := `{"id":1,"username":"Crane","email":"Crane@Example.com","email_verified":false,"role":"curator",` +
		`"created_at":"2026-01-02T01:04:05Z"}`
	equal(t, "body", a.Body, want)
	equal(t, "Cache-Control", a.Header.Get("Cache-Control"), "private, no-cache")
	equal(t, "Vary", a.Header.Get("Vary"), "Authorization")
	again := s.get(t, mePath, "Authorization", "Bearer "+raw, "If-None-Match", a.Header.Get("Etag"))
	wantStatus(t, "If-None-Match", again, http.StatusNotModified)
}

func TestPeoplesPathsNeedAToken(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for name, a := range map[string]answer{
		mePath:                    s.get(t, mePath),
		passwordPath:              s.request(t, http.MethodPost, passwordPath, `{}`),
		sessionsPath:              s.get(t, sessionsPath),
		sessionsPath + "/1":       s.request(t, http.MethodDelete, sessionsPath+"/1", ""),
		emailPath:                 s.request(t, http.MethodPost, emailPath, `{}`),
		verificationPath:          s.request(t, http.MethodPost, verificationPath, ""),
		deletePath:                s.request(t, http.MethodPost, deletePath, `{}`),
		usersPath:                 s.get(t, usersPath),
		usersPath + "/1/reset":    s.request(t, http.MethodPost, usersPath+"/1/reset", ""),
		usersPath + "/1/role":     s.request(t, http.MethodPut, usersPath+"/1/role", `{}`),
		usersPath + "/1/disabled": s.request(t, http.MethodPut, usersPath+"/1/disabled", `{}`),
	} {
		wantProblem(t, a, http.StatusUnauthorized, name, "this needs a bearer token")
		equal(t, name, a.Header.Get("WWW-Authenticate"), "Bearer")
	}
}

func TestWhoeverIsDisabledIsNobodyAtOnce(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	raw := s.signIn(t)
	s.exec(t, `UPDATE auth.users SET disabled_at = now()`)
	for path, a := range map[string]answer{
		mePath:       s.getAs(t, raw, mePath),
		passwordPath: s.changePassword(t, raw, password, newPassword),
	} {
		wantProblem(t, a, http.StatusUnauthorized, path, "this account can no longer sign in")
	}
}

func TestPasswordChangeEndsEveryOtherFamily(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	s.register(t, "Heron", "heron@example.com", password)
	others := read[tokens](t, s.login(t, "Heron", password))
	stolen, mine := s.tokens(t), s.tokens(t)
	app := s.client(t, allScopes)
	granted := s.grant(t, stolen.Access, app, allScopes)
	mine = s.refreshed(t, mine.Refresh)
	wantNoContent(t, "change", s.changePassword(t, mine.Access, password, newPassword))
	s.refusesRefresh(t, stolen.Refresh)
	equal(t, "an application", s.exchange(t, app, refreshGrant(granted.Refresh)).Error, "invalid_grant")
	s.refreshed(t, mine.Refresh)
	s.refreshed(t, others.Refresh)
	wantStatus(t, "the old password", s.login(t, "Crane", password), http.StatusUnauthorized)
	wantStatus(t, "the new password", s.login(t, "Crane", newPassword), http.StatusOK)
	s.wantLog(t, `"msg":"password changed","service":"auth","user_id":1`)
	if logged := s.logs.String(); strings.Contains(logged, "paper") {
		t.Errorf("a password is in the log:\n%s", logged)
	}
}

func TestPasswordChangeRefuses(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	others, mine := s.tokens(t), s.tokens(t)
	for name, row := range map[string][4]string{
		"a wrong current password": {newPassword, newPassword, "current_password", "is wrong"},
		"none":                     {"", newPassword, "current_password", "is wrong"},
		"a short one":              {password, "ninebytes", "new_password", lengthRule},
		"a long one":               {password, strings.Repeat("p", 129), "new_password", lengthRule},
		"the e-mail address":       {password, "crane@example.COM", "new_password", nameRule},
		"a common one":             {password, "QwertyUiop", "new_password", commonRule},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.changePassword(t, mine.Access, row[0], row[1])
			wantProblem(t, a, http.StatusUnprocessableEntity, passwordPath, "the request breaks a rule",
				fault.Field{Field: row[2], Message: row[3]})
		})
	}
	s.refreshed(t, others.Refresh)
}

// TestPasswordChangesAtOnce checks that one of them wins, whose password then works.
func TestPasswordChangesAtOnce(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	raw := s.signIn(t)
	candidates := []string{"first paper crane", "second paper crane", "third paper crane"}
	got := atOnce(3, func(i int) int { return s.changePassword(t, raw, password, candidates[i]).Status })
	if got[http.StatusNoContent] != 1 || got[http.StatusConflict]+got[http.StatusUnprocessableEntity] != 2 {
		t.Errorf("how often each status: %v, want one 204 and two refusals", got)
	}
	got = atOnce(3, func(i int) int { return s.login(t, "Crane", candidates[i]).Status })
	equal(t, "how often each status", got, map[int]int{http.StatusOK: 1, http.StatusUnauthorized: 2})
}
