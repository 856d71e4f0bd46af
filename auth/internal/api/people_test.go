package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"craftista/shared/fault"

	"github.com/google/go-cmp/cmp"
)

const (
	mePath       = "/api/auth/me"
	passwordPath = "/api/auth/password"
	newPassword  = "eight paper cranes"
)

func (s *service) changePassword(t *testing.T, access, current, replacement string) answer {
	t.Helper()
	return s.request(t, http.MethodPost, passwordPath,
		text(t, map[string]string{"current_password": current, "new_password": replacement}), "Authorization", "Bearer "+access)
}

func TestMeIsThePersonAsTheyAreNow(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	raw := s.signIn(t)
	s.exec(t, s.admin, `UPDATE auth.users SET role = 'curator', created_at = '2026-01-02T03:04:05+02'`)
	a := s.get(t, mePath, "Authorization", "Bearer "+raw)
	want := `{"id":1,"username":"Crane","email":"Crane@Example.com","role":"curator","created_at":"2026-01-02T01:04:05Z"}`
	if diff := cmp.Diff(a.Body, want); a.Status != http.StatusOK || diff != "" {
		t.Errorf("status %d, body (-got +want):\n%s", a.Status, diff)
	}
	for header, want := range map[string]string{"Cache-Control": "private, no-cache", "Vary": "Authorization"} {
		if got := a.Header.Get(header); got != want {
			t.Errorf("%s %q, want %q", header, got, want)
		}
	}
	if again := s.get(t, mePath, "Authorization", "Bearer "+raw, "If-None-Match", a.Header.Get("Etag")); again.Status != http.StatusNotModified {
		t.Errorf("If-None-Match: %d", again.Status)
	}
}

func TestPeoplesPathsNeedAToken(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for name, a := range map[string]answer{
		mePath:                    s.get(t, mePath),
		passwordPath:              s.request(t, http.MethodPost, passwordPath, `{}`),
		sessionsPath:              s.get(t, sessionsPath),
		sessionsPath + "/1":       s.request(t, http.MethodDelete, sessionsPath+"/1", ""),
		usersPath:                 s.get(t, usersPath),
		usersPath + "/1/role":     s.request(t, http.MethodPut, usersPath+"/1/role", `{}`),
		usersPath + "/1/disabled": s.request(t, http.MethodPut, usersPath+"/1/disabled", `{}`),
	} {
		if diff := cmp.Diff(read[problem](t, a), problemOf(http.StatusUnauthorized, name, "this needs a bearer token")); diff != "" {
			t.Errorf("problem (-got +want):\n%s", diff)
		}
		if got, want := a.Header.Get("WWW-Authenticate"), `Bearer error="invalid_token"`; got != want {
			t.Errorf("%s: WWW-Authenticate %q, want %q", name, got, want)
		}
	}
}

func TestWhoeverIsDisabledIsNobodyAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	raw := s.signIn(t)
	s.exec(t, s.admin, `UPDATE auth.users SET disabled_at = now()`)
	for path, a := range map[string]answer{
		mePath:       s.get(t, mePath, "Authorization", "Bearer "+raw),
		passwordPath: s.changePassword(t, raw, password, newPassword),
	} {
		if diff := cmp.Diff(read[problem](t, a), problemOf(http.StatusUnauthorized, path, "this person may not sign in any more")); diff != "" {
			t.Errorf("problem (-got +want):\n%s", diff)
		}
	}
}

func TestPasswordChangeEndsEveryOtherFamily(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now})
	s.person(t)
	s.register(t, "Heron", "heron@example.com", password)
	others := read[tokens](t, s.login(t, "Heron", password))
	stolen, mine := s.tokens(t), s.tokens(t)
	mine = s.refreshed(t, mine.Refresh)
	if a := s.changePassword(t, mine.Access, password, newPassword); a.Status != http.StatusNoContent || a.Body != "" {
		t.Fatalf("status %d: %s", a.Status, a.Body)
	}
	s.refusesRefresh(t, stolen.Refresh)
	s.refreshed(t, mine.Refresh)
	s.refreshed(t, others.Refresh)
	if a := s.login(t, "Crane", password); a.Status != http.StatusUnauthorized {
		t.Errorf("the old password: %d %s", a.Status, a.Body)
	}
	if a := s.login(t, "Crane", newPassword); a.Status != http.StatusOK {
		t.Errorf("the new password: %d %s", a.Status, a.Body)
	}
	if logged := s.logs.String(); !strings.Contains(logged, `"msg":"password changed","service":"auth","user_id":1`) || strings.Contains(logged, "paper") {
		t.Errorf("log:\n%s", logged)
	}
}

func TestPasswordChangeRefuses(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	others, mine := s.tokens(t), s.tokens(t)
	for name, row := range map[string]struct {
		current, replacement string
		want                 fault.Field
	}{
		"a wrong current password": {newPassword, newPassword, fault.Field{Field: "current_password", Message: "is not your password"}},
		"none":                     {"", newPassword, fault.Field{Field: "current_password", Message: "is not your password"}},
		"a short one":              {password, "ninebytes", fault.Field{Field: "new_password", Message: lengthRule}},
		"a long one":               {password, strings.Repeat("p", 73), fault.Field{Field: "new_password", Message: lengthRule}},
		"the e-mail address":       {password, "crane@example.COM", fault.Field{Field: "new_password", Message: nameRule}},
		"a common one":             {password, "QwertyUiop", fault.Field{Field: "new_password", Message: commonRule}},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.changePassword(t, mine.Access, row.current, row.replacement)
			want := problemOf(http.StatusUnprocessableEntity, passwordPath, "the request breaks a rule", row.want)
			if diff := cmp.Diff(read[problem](t, a), want); diff != "" {
				t.Errorf("problem (-got +want):\n%s", diff)
			}
		})
	}
	s.refreshed(t, others.Refresh)
}

// TestPasswordChangesAtOnce lets one of them win, whose password holds.
func TestPasswordChangesAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	raw := s.signIn(t)
	candidates := []string{"first paper crane", "second paper crane", "third paper crane"}
	got := atOnce(3, func(i int) int { return s.changePassword(t, raw, password, candidates[i]).Status })
	if got[http.StatusNoContent] != 1 || got[http.StatusConflict]+got[http.StatusUnprocessableEntity] != 2 {
		t.Errorf("how often each status: %v, want one 204 and two refusals", got)
	}
	signedIn := 0
	for _, p := range candidates {
		if s.login(t, "Crane", p).Status == http.StatusOK {
			signedIn++
		}
	}
	if signedIn != 1 {
		t.Errorf("%d passwords are good, want 1", signedIn)
	}
}

// TestDisablingAndSigningInAtOnce leaves no sign-in that comes back to life when
// the person is enabled.
func TestDisablingAndSigningInAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	root := s.adminToken(t, "root")
	for range 5 {
		atOnce(9, func(i int) int {
			if i == 4 {
				return s.put(t, root, "/1/disabled", `{"disabled":true}`).Status
			}
			return s.login(t, "Crane", password).Status
		})
		if got := s.count(t, `SELECT count(*) FROM auth.refresh_families WHERE user_id = 1 AND revoked_at IS NULL`); got != 0 {
			t.Errorf("%d families live on", got)
		}
		s.put(t, root, "/1/disabled", `{"disabled":false}`)
	}
	if s.tokens(t).RefreshExpiresIn != int64(30*day/time.Second) {
		t.Error("an enabled person cannot sign in")
	}
}
