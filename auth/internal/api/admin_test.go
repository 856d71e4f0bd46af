package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"craftista/shared/fault"
	"craftista/shared/token"

	"github.com/google/go-cmp/cmp"
)

const usersPath = "/api/auth/users"

// adminToken registers an admin of that name and returns their access token.
func (s *service) adminToken(t *testing.T, name string) string {
	t.Helper()
	s.register(t, name, name+"@example.com", password)
	s.exec(t, s.admin, `UPDATE auth.users SET role = 'admin' WHERE username = $1`, name)
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
	s := start(t, setup{})
	s.person(t)
	for _, role := range []string{token.RoleUser, token.RoleCurator} {
		s.exec(t, s.admin, `UPDATE auth.users SET role = $1`, role)
		raw := s.signIn(t)
		for path, a := range map[string]answer{
			usersPath:                 s.get(t, usersPath, "Authorization", "Bearer "+raw),
			usersPath + "/1/role":     s.put(t, raw, "/1/role", `{"role":"admin"}`),
			usersPath + "/1/disabled": s.put(t, raw, "/1/disabled", `{"disabled":true}`),
		} {
			if diff := cmp.Diff(read[problem](t, a), problemOf(http.StatusForbidden, path, "this needs the role admin")); diff != "" {
				t.Errorf("%s: problem (-got +want):\n%s", role, diff)
			}
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
	s.exec(t, s.admin, `INSERT INTO auth.users (username, email, password_hash) SELECT 'fan' || n, 'f' || n || '@example.org', '!' FROM generate_series(2, 7) AS n`)
	var got []int64
	next := usersPath + "?limit=3&q=example"
	for pages := 0; next != ""; pages++ {
		if pages == 3 {
			t.Fatal("a fourth page")
		}
		a := s.get(t, next, "Authorization", "Bearer "+root)
		for _, p := range read[[]listed](t, a) {
			got = append(got, p.ID)
		}
		next, _ = strings.CutSuffix(strings.TrimPrefix(a.Header.Get("Link"), "<"), `>; rel="next"`)
	}
	if diff := cmp.Diff(got, []int64{1, 2, 3, 4, 5, 6, 7}); diff != "" {
		t.Errorf("ids (-got +want):\n%s", diff)
	}
}

func TestUsersAreFoundByPartsOfNameAndAddress(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	root := s.adminToken(t, "root")
	s.person(t)
	s.exec(t, s.admin, `UPDATE auth.users SET role = 'curator', disabled_at = now() WHERE id = 2`)
	crane := listed{2, "Crane", "Crane@Example.com", "curator", true}
	admin := listed{1, "root", "root@example.com", "admin", false}
	for q, want := range map[string][]listed{
		"": {admin, crane}, "RAN": {crane}, "root@": {admin}, "example.COM": {admin, crane}, "nobody": {}, "%": {}, "_": {}, `\`: {}, "' OR 1=1": {},
	} {
		a := s.get(t, usersPath+"?q="+url.QueryEscape(q), "Authorization", "Bearer "+root)
		if diff := cmp.Diff(read[[]listed](t, a), want); a.Status != http.StatusOK || diff != "" {
			t.Errorf("%q: status %d, people (-got +want):\n%s", q, a.Status, diff)
		}
		if a.Header.Get("Link") != "" || a.Header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%q: Link %q, Cache-Control %q", q, a.Header.Get("Link"), a.Header.Get("Cache-Control"))
		}
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
		a := s.get(t, usersPath+"?"+query, "Authorization", "Bearer "+root)
		if diff := cmp.Diff(read[problem](t, a), problemOf(http.StatusUnprocessableEntity, usersPath, "the request breaks a rule", want...)); diff != "" {
			t.Errorf("%.20s: problem (-got +want):\n%s", query, diff)
		}
	}
}

func TestRolesAreGivenAndTaken(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	raw := s.tokens(t).Refresh
	root := s.adminToken(t, "root")
	for _, role := range []string{token.RoleCurator, token.RoleAdmin, token.RoleUser} {
		a := s.put(t, root, "/1/role", `{"role":"`+role+`"}`)
		if diff := cmp.Diff(read[listed](t, a), listed{1, "Crane", "Crane@Example.com", role, false}); a.Status != http.StatusOK || diff != "" {
			t.Errorf("status %d, person (-got +want):\n%s", a.Status, diff)
		}
		next := s.refreshed(t, raw)
		raw = next.Refresh
		if got := claimsOf(t, next.Access).claims["role"]; got != role {
			t.Errorf("after the refresh the role is %v, want %s", got, role)
		}
	}
	if want := `"level":"WARN","msg":"role changed","service":"auth","user_id":1,"role":"curator","by":2`; !strings.Contains(s.logs.String(), want) {
		t.Errorf("%s is not in the log:\n%s", want, s.logs)
	}
}

func TestDisablingEndsEveryFamilyAndCanBeTakenBack(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	old := s.tokens(t)
	root := s.adminToken(t, "root")
	for _, disabled := range []bool{true, true, false, false} { // each twice: repeating it changes nothing
		a := s.put(t, root, "/1/disabled", fmt.Sprintf(`{"disabled":%t}`, disabled))
		if diff := cmp.Diff(read[listed](t, a), listed{1, "Crane", "Crane@Example.com", "user", disabled}); a.Status != http.StatusOK || diff != "" {
			t.Errorf("status %d, person (-got +want):\n%s", a.Status, diff)
		}
		want := http.StatusOK
		if disabled {
			want = http.StatusUnauthorized
		}
		if a := s.login(t, "Crane", password); a.Status != want {
			t.Errorf("login: %d %s, want %d", a.Status, a.Body, want)
		}
		s.refusesRefresh(t, old.Refresh)
	}
}

func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	root := s.adminToken(t, "root")
	s.adminToken(t, "disabled")
	s.exec(t, s.admin, `UPDATE auth.users SET disabled_at = now() WHERE username = 'disabled'`)
	for path, body := range map[string]string{"/1/role": `{"role":"curator"}`, "/1/disabled": `{"disabled":true}`} {
		want := problemOf(http.StatusConflict, usersPath+path, "this is the last admin, make somebody else one first")
		if diff := cmp.Diff(read[problem](t, s.put(t, root, path, body)), want); diff != "" {
			t.Errorf("problem (-got +want):\n%s", diff)
		}
	}
	if a := s.put(t, root, "/1/role", `{"role":"admin"}`); a.Status != http.StatusOK {
		t.Errorf("staying what one is: %d %s", a.Status, a.Body)
	}
	if a := s.put(t, root, "/2/role", `{"role":"user"}`); a.Status != http.StatusOK {
		t.Errorf("an admin who is disabled: %d %s", a.Status, a.Body)
	}
}

// TestAdminsWhoDemoteEachOtherAtOnceLeaveOne, whichever way they do it.
// TestDemotedAdminsCannotTakeTheRoleBack though their token still has it.
func TestDemotedAdminsCannotTakeTheRoleBack(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	one, two, three := s.adminToken(t, "one"), s.adminToken(t, "two"), s.adminToken(t, "three")
	for path, body := range map[string]string{"/2/role": `{"role":"user"}`, "/3/disabled": `{"disabled":true}`} {
		if a := s.put(t, one, path, body); a.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	for _, row := range []struct{ by, path, body string }{
		{two, "/2/role", `{"role":"admin"}`}, {two, "/1/role", `{"role":"user"}`},
		{three, "/3/disabled", `{"disabled":false}`}, {three, "/1/disabled", `{"disabled":true}`},
	} {
		want := problemOf(http.StatusForbidden, usersPath+row.path, "you are not an admin any more")
		if diff := cmp.Diff(read[problem](t, s.put(t, row.by, row.path, row.body)), want); diff != "" {
			t.Errorf("problem (-got +want):\n%s", diff)
		}
	}
	if n := s.count(t, `SELECT count(*) FROM auth.users WHERE role = 'admin' AND disabled_at IS NULL`); n != 1 {
		t.Errorf("%d admins, want 1", n)
	}
}

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
		// Who is an admin no more when their turn comes is refused, and the last one stays.
		if got[http.StatusOK]+got[http.StatusForbidden]+got[http.StatusConflict] != 4 || got[http.StatusOK] == 0 {
			t.Errorf("how often each status: %v", got)
		}
		if n := s.count(t, `SELECT count(*) FROM auth.users WHERE role = 'admin' AND disabled_at IS NULL`); n != 4-got[http.StatusOK] {
			t.Errorf("%d admins left after %v", n, got)
		}
		s.exec(t, s.admin, `UPDATE auth.users SET role = 'admin', disabled_at = NULL`)
	}
}

func TestAdministrationRefuses(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	root := s.adminToken(t, "root")
	const rule = "the request breaks a rule"
	for name, row := range map[string]struct {
		path, body string
		want       problem
	}{
		"an unknown role":    {"/1/role", `{"role":"emperor"}`, problemOf(422, "", rule, fault.Field{Field: "role", Message: "must be user, curator or admin"})},
		"no role":            {"/1/role", `{}`, problemOf(422, "", rule, fault.Field{Field: "role", Message: "must be user, curator or admin"})},
		"neither yes nor no": {"/1/disabled", `{}`, problemOf(422, "", rule, fault.Field{Field: "disabled", Message: "is required"})},
		"null":               {"/1/disabled", `{"disabled":null}`, problemOf(422, "", rule, fault.Field{Field: "disabled", Message: "is required"})},
		"text for yes":       {"/1/disabled", `{"disabled":"yes"}`, problemOf(400, "", "the field disabled cannot be a JSON string")},
		"a field too many":   {"/1/role", `{"role":"user","id":2}`, problemOf(400, "", `the body has the unknown field "id"`)},
		"nobody's role":      {"/9/role", `{"role":"user"}`, problemOf(404, "", "nobody has the id 9")},
		"nobody disabled":    {"/9/disabled", `{"disabled":true}`, problemOf(404, "", "nobody has the id 9")},
		"an id that is none": {"/x/role", `{"role":"user"}`, problemOf(404, "", `nothing has the id "x"`)},
		"an id below one":    {"/0/disabled", `{"disabled":true}`, problemOf(404, "", `nothing has the id "0"`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row.want.Instance = usersPath + row.path
			if diff := cmp.Diff(read[problem](t, s.put(t, root, row.path, row.body)), row.want); diff != "" {
				t.Errorf("problem (-got +want):\n%s", diff)
			}
		})
	}
}
