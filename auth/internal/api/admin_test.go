package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"craftista/shared/fault"
	"craftista/shared/token"
)

const (
	usersPath   = "/api/auth/users"
	adminsQuery = `SELECT count(*) FROM auth.users WHERE role = 'admin' AND disabled_at IS NULL`
)

// adminToken registers an admin of that name and returns their access token.
func (s *service) adminToken(t *testing.T, name string) string {
	t.Helper()
	s.register(t, name, name+"@example.com", password)
	s.exec(t, `UPDATE auth.users SET role = 'admin' WHERE username = $1`, name)
	return read[tokens](t, s.login(t, name, password)).Access
}

func (s *service) put(t *testing.T, access, path, body string) answer {
	t.Helper()
	return s.request(t, http.MethodPut, usersPath+path, body, "Authorization", "Bearer "+access)
}

// listed is a person in a list.
type listed struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
	Role     string `json:"role"`
	Disabled bool   `json:"disabled"`
}

func TestAdministrationNeedsTheRoleAdmin(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	for _, role := range []string{token.RoleUser, token.RoleCurator} {
		s.exec(t, `UPDATE auth.users SET role = $1`, role)
		raw := s.signIn(t)
		for path, a := range map[string]answer{
			usersPath:                 s.getAs(t, raw, usersPath),
			usersPath + "/1/role":     s.put(t, raw, "/1/role", `{"role":"admin"}`),
			usersPath + "/1/disabled": s.put(t, raw, "/1/disabled", `{"disabled":true}`),
		} {
			wantProblem(t, a, http.StatusForbidden, path, "this needs the role admin")
			if strings.Contains(a.Body, "@") {
				t.Errorf("an address leaks: %s", a.Body)
			}
		}
	}
}

func TestUsersArePagedByID(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	root := s.adminToken(t, "root") // has the id 1
	s.exec(t, `
		INSERT INTO auth.users (username, email, password_hash)
		SELECT 'fan' || n, 'f' || n || '@example.org', '!'
		  FROM generate_series(2, 7) AS n`)
	var got []int64
	next := usersPath + "?limit=3&q=example"
	for pages := 0; next != ""; pages++ {
		if pages == 3 {
			t.Fatal("a fourth page")
		}
		a := s.getAs(t, root, next)
		for _, p := range read[[]listed](t, a) {
			got = append(got, p.ID)
		}
		next, _ = strings.CutSuffix(strings.TrimPrefix(a.Header.Get("Link"), "<"), `>; rel="next"`)
	}
	equal(t, "ids", got, []int64{1, 2, 3, 4, 5, 6, 7})
}

func TestUsersAreFoundByPartsOfNameAndAddress(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	root := s.adminToken(t, "root")
	s.person(t)
	s.exec(t, `UPDATE auth.users SET role = 'curator', disabled_at = now() WHERE id = 2`)
	crane := listed{2, "Crane", "Crane@Example.com", "curator", true}
	admin := listed{1, "root", "root@example.com", "admin", false}
	for q, want := range map[string][]listed{
		"": {admin, crane}, "RAN": {crane}, "root@": {admin}, "example.COM": {admin, crane},
		"nobody": {}, "%": {}, "_": {}, `\`: {}, "' OR 1=1": {},
	} {
		a := s.getAs(t, root, usersPath+"?q="+url.QueryEscape(q))
		equal(t, "people with "+q, read[[]listed](t, a), want)
		equal(t, "Link", a.Header.Get("Link"), "")
		equal(t, "Cache-Control", a.Header.Get("Cache-Control"), "private, no-cache")
	}
}

func TestUsersRefuseBrokenRules(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	root := s.adminToken(t, "root")
	limit := fault.Field{Field: "limit", Message: "must be between 1 and 100"}
	cursor := fault.Field{Field: "cursor", Message: "must be one that a page gave"}
	q := fault.Field{Field: "q", Message: "must be text of at most 254 bytes"}
	for query, want := range map[string][]fault.Field{
		"limit=0": {limit}, "limit=101": {limit}, "limit=x": {limit}, "limit=-1": {limit},
		"cursor=x": {cursor}, "cursor=MQ==": {cursor}, "cursor=MDE": {cursor}, "cursor=eA": {cursor},
		"q=%00": {q}, "q=%ff": {q}, "q=" + strings.Repeat("a", 255): {q},
		"limit=0&cursor=x&q=%00": {q, limit, cursor},
	} {
		a := s.getAs(t, root, usersPath+"?"+query)
		wantProblem(t, a, http.StatusUnprocessableEntity, usersPath, "the request breaks a rule", want...)
	}
}

func TestRolesAreGivenAndTaken(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	raw := s.tokens(t).Refresh
	root := s.adminToken(t, "root")
	for _, role := range []string{token.RoleCurator, token.RoleAdmin, token.RoleUser} {
		a := s.put(t, root, "/1/role", `{"role":"`+role+`"}`)
		wantStatus(t, role, a, http.StatusOK)
		equal(t, "person", read[listed](t, a), listed{1, "Crane", "Crane@Example.com", role, false})
		next := s.refreshed(t, raw)
		raw = next.Refresh
		equal(t, "role after the refresh", claimsOf(t, next.Access).claims["role"], any(role))
	}
	s.wantLog(t, `"level":"WARN","msg":"role changed","service":"auth","user_id":1,"role":"curator","by":2`)
}

func TestDisablingEndsEveryFamilyAndCanBeTakenBack(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	old := s.tokens(t)
	root := s.adminToken(t, "root")
	for _, disabled := range []bool{true, true, false, false} { // each twice: repeating it changes nothing
		a := s.put(t, root, "/1/disabled", fmt.Sprintf(`{"disabled":%t}`, disabled))
		wantStatus(t, "disable", a, http.StatusOK)
		equal(t, "person", read[listed](t, a), listed{1, "Crane", "Crane@Example.com", "user", disabled})
		want := http.StatusOK
		if disabled {
			want = http.StatusUnauthorized
		}
		wantStatus(t, "login", s.login(t, "Crane", password), want)
		s.refusesRefresh(t, old.Refresh)
	}
}

func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	root := s.adminToken(t, "root")
	s.adminToken(t, "disabled")
	s.exec(t, `UPDATE auth.users SET disabled_at = now() WHERE username = 'disabled'`)
	for path, body := range map[string]string{"/1/role": `{"role":"curator"}`, "/1/disabled": `{"disabled":true}`} {
		wantProblem(t, s.put(t, root, path, body), http.StatusConflict, usersPath+path,
			"this is the last admin, make somebody else an admin first")
	}
	wantStatus(t, "staying what one is", s.put(t, root, "/1/role", `{"role":"admin"}`), http.StatusOK)
	wantStatus(t, "an admin who is disabled", s.put(t, root, "/2/role", `{"role":"user"}`), http.StatusOK)
}

// TestDemotedAdminsCannotTakeTheRoleBack though their token still has it.
func TestDemotedAdminsCannotTakeTheRoleBack(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	one, two, three := s.adminToken(t, "one"), s.adminToken(t, "two"), s.adminToken(t, "three")
	for path, body := range map[string]string{"/2/role": `{"role":"user"}`, "/3/disabled": `{"disabled":true}`} {
		wantStatus(t, path, s.put(t, one, path, body), http.StatusOK)
	}
	for _, row := range []struct{ by, path, body string }{
		{two, "/2/role", `{"role":"admin"}`}, {two, "/1/role", `{"role":"user"}`},
		{three, "/3/disabled", `{"disabled":false}`}, {three, "/1/disabled", `{"disabled":true}`},
	} {
		a := s.put(t, row.by, row.path, row.body)
		if row.by == three {
			wantProblem(t, a, http.StatusUnauthorized, usersPath+row.path, "this session has ended")
			continue
		}
		wantProblem(t, a, http.StatusForbidden, usersPath+row.path, "you are not an admin any more")
	}
	s.wantCount(t, "admins", adminsQuery, 1)
}

// TestAdminsWhoDemoteEachOtherAtOnceLeaveOne, be it by role or by disabling.
func TestAdminsWhoDemoteEachOtherAtOnceLeaveOne(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	roots := []string{s.adminToken(t, "one"), s.adminToken(t, "two"), s.adminToken(t, "three"), s.adminToken(t, "four")}
	for range 5 {
		got := atOnce(4, func(i int) int {
			id := (i+1)%4 + 1
			if i%2 == 0 {
				return s.put(t, roots[i], fmt.Sprintf("/%d/role", id), `{"role":"user"}`).Status
			}
			return s.put(t, roots[i], fmt.Sprintf("/%d/disabled", id), `{"disabled":true}`).Status
		})
		// Whoever has lost the role or the sign-in when their turn comes is refused, and the last one stays.
		refused := got[http.StatusForbidden] + got[http.StatusConflict] + got[http.StatusUnauthorized]
		if got[http.StatusOK]+refused != 4 || got[http.StatusOK] == 0 {
			t.Errorf("how often each status: %v", got)
		}
		s.wantCount(t, "admins", adminsQuery, 4-got[http.StatusOK])
		s.exec(t, `UPDATE auth.users SET role = 'admin', disabled_at = NULL`)
		s.exec(t, `UPDATE auth.refresh_families SET revoked_at = NULL`)
	}
}

func TestAdministrationRefuses(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	root := s.adminToken(t, "root")
	field := func(name, message string) []fault.Field { return []fault.Field{{Field: name, Message: message}} }
	role, required := field("role", "must be user, curator or admin"), field("disabled", "is required")
	for name, row := range map[string]struct {
		path, body string
		status     int
		detail     string
		fields     []fault.Field
	}{
		"an unknown role":    {"/1/role", `{"role":"emperor"}`, 422, "the request breaks a rule", role},
		"no role":            {"/1/role", `{}`, 422, "the request breaks a rule", role},
		"neither yes nor no": {"/1/disabled", `{}`, 422, "the request breaks a rule", required},
		"null":               {"/1/disabled", `{"disabled":null}`, 422, "the request breaks a rule", required},
		"text for yes":       {"/1/disabled", `{"disabled":"yes"}`, 400, "the field disabled cannot be a JSON string", nil},
		"a field too many":   {"/1/role", `{"role":"user","id":2}`, 400, `the body has the unknown field "id"`, nil},
		"nobody's role":      {"/9/role", `{"role":"user"}`, 404, "nobody has the id 9", nil},
		"nobody disabled":    {"/9/disabled", `{"disabled":true}`, 404, "nobody has the id 9", nil},
		"an id that is none": {"/x/role", `{"role":"user"}`, 404, `nothing has the id "x"`, nil},
		"an id below one":    {"/0/disabled", `{"disabled":true}`, 404, `nothing has the id "0"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantProblem(t, s.put(t, root, row.path, row.body), row.status, usersPath+row.path, row.detail, row.fields...)
		})
	}
}

// TestDisablingAndSigningInAtOnce leaves no sign-in that is active again when the
// person is enabled.
func TestDisablingAndSigningInAtOnce(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	root := s.adminToken(t, "root")
	for range 5 {
		atOnce(9, func(i int) int {
			if i == 4 {
				return s.put(t, root, "/1/disabled", `{"disabled":true}`).Status
			}
			return s.login(t, "Crane", password).Status
		})
		s.wantCount(t, "active families",
			`SELECT count(*) FROM auth.refresh_families WHERE user_id = 1 AND revoked_at IS NULL`, 0)
		s.put(t, root, "/1/disabled", `{"disabled":false}`)
	}
	wantStatus(t, "an enabled person", s.login(t, "Crane", password), http.StatusOK)
}
