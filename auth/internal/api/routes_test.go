package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestEveryOperationIsDocumentedAndWorks(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	s.exec(t, `UPDATE auth.users SET role = 'admin'`)
	got := read[tokens](t, s.refresh(t, s.tokens(t).Refresh))
	s.useOAuth(t, got.Access)
	s.sessions(t, got.Access)
	s.end(t, got.Access, "")
	s.end(t, s.signIn(t), fmt.Sprintf("/%d", s.sessions(t, got.Access)[0].ID))
	got = s.tokens(t)
	s.logout(t, got.Refresh)
	s.changePassword(t, got.Access, password, newPassword)
	s.put(t, got.Access, "/1/role", `{"role":"admin"}`)
	s.put(t, got.Access, "/1/disabled", `{"disabled":false}`)
	for _, path := range []string{
		statusPath, mePath, usersPath, "/.well-known/jwks.json", "/.well-known/openid-configuration",
		"/", "/livez", "/readyz", "/health", "/status", "/api/system-info", "/docs", "/openapi.json",
	} {
		wantStatus(t, path, s.getAs(t, got.Access, path), http.StatusOK)
	}
	s.contract.AssertCovered()
}

// useOAuth uses every OAuth endpoint once, for a person with that access token.
func (s *service) useOAuth(t *testing.T, access string) {
	t.Helper()
	a := s.client(t, allScopes)
	query := a.request().Encode()
	s.visit(t, http.MethodGet, authorizePath+"?"+query, "")
	s.visit(t, http.MethodPost, authorizePath, query)
	s.postJSON(t, "/oauth2/consent", map[string]string{"query": query}, "X-Internal-API-Key", internalKey)
	got := s.grant(t, access, a, allScopes)
	s.getAs(t, got.Access, userinfoPath)
	s.request(t, http.MethodPost, userinfoPath, "", "Authorization", "Bearer "+got.Access)
	s.post(t, "/oauth2/introspect", a, url.Values{"token": {got.Access}})
	s.post(t, "/oauth2/revoke", a, url.Values{"token": {got.Access}})
	s.visit(t, http.MethodGet, "/oauth2/logout?id_token_hint="+got.ID, "")
	s.visit(t, http.MethodPost, "/oauth2/logout", "id_token_hint="+got.ID)
}

func TestBodiesAreReadStrictly(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for path, good := range map[string]string{
		registerPath: `{"username":"crane","email":"crane@example.com","password":"seven paper cranes"}`,
		loginPath:    `{"username":"crane","password":"seven paper cranes"}`,
		refreshPath:  `{"refresh_token":"seven-paper-cranes"}`,
		logoutPath:   `{"refresh_token":"seven-paper-cranes"}`,
	} {
		field := strings.Split(good, `"`)[1]
		for name, row := range map[string]struct {
			body   string
			status int
			detail string
		}{
			"no media type":    {"", 415, "the body must be application/json"},
			"over 64 KiB":      {`{"username":"` + strings.Repeat("x", 64<<10) + `"}`, 413, "the body is over 65536 bytes"},
			"no JSON":          {`username=crane`, 400, "the body is not JSON, see byte 1"},
			"cut off":          {good[:20], 400, "the body is not complete JSON"},
			"an empty body":    {" ", 400, "the body is empty"},
			"not UTF-8":        {"{\"username\":\"\xff\"}", 400, "the body is not UTF-8"},
			"an array":         {"[" + good + "]", 400, "the body cannot be a JSON array"},
			"a number as text": {`{"` + field + `":7}`, 400, "the field " + field + " cannot be a JSON number"},
			"an unknown field": {good[:len(good)-1] + `,"role":"admin"}`, 400, `the body has the unknown field "role"`},
			"a second value":   {good + good, 400, "the body holds more than one JSON value"},
		} {
			t.Run(path+" "+name, func(t *testing.T) {
				t.Parallel()
				a := s.request(t, http.MethodPost, path, row.body, "X-Internal-API-Key", internalKey)
				wantProblem(t, a, row.status, path, row.detail)
			})
		}
		form := s.request(t, http.MethodPost, path, good,
			"X-Internal-API-Key", internalKey, "Content-Type", "application/x-www-form-urlencoded")
		wantProblem(t, form, http.StatusUnsupportedMediaType, path, "the body must be application/json")
	}
}

func TestUnknownPathsAndMethodsAreProblems(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for name, row := range map[string]struct {
		method, path string
		status       int
		allow        string
	}{
		"no such path":         {http.MethodGet, "/api/auth/nothing", http.StatusNotFound, ""},
		"hostile path":         {http.MethodGet, "/%3Cscript%3E/%00", http.StatusNotFound, ""},
		"a slash too many":     {http.MethodGet, "/api/auth/status/", http.StatusNotFound, ""},
		"get what is posted":   {http.MethodGet, loginPath, http.StatusMethodNotAllowed, "POST"},
		"delete what is got":   {http.MethodDelete, statusPath, http.StatusMethodNotAllowed, "GET, HEAD"},
		"post to the key list": {http.MethodPost, "/.well-known/jwks.json", http.StatusMethodNotAllowed, "GET, HEAD"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.request(t, row.method, row.path, "")
			got := read[problem](t, a)
			wantProblem(t, a, row.status, got.Instance, got.Detail)
			equal(t, "Allow", a.Header.Get("Allow"), row.allow)
			if got.Detail == "" {
				t.Error("no detail")
			}
		})
	}
}

func TestGetsAreTagged(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for path, want := range map[string]string{
		"/.well-known/jwks.json":            "public, max-age=300",
		"/.well-known/openid-configuration": "public, max-age=300",
		statusPath:                          "private, no-cache",
		"/":                                 "no-cache",
		"/api/system-info":                  "no-cache",
		"/openapi.json":                     "public, max-age=300",
		"/docs":                             "public, max-age=300",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			first := s.get(t, path)
			tag := first.Header.Get("Etag")
			equal(t, "Cache-Control", first.Header.Get("Cache-Control"), want)
			equal(t, "strong ETag", strings.HasPrefix(tag, `"`), true)
			again := s.get(t, path, "If-None-Match", tag)
			wantStatus(t, "If-None-Match", again, http.StatusNotModified)
			equal(t, "ETag and body", again.Header.Get("Etag")+again.Body, tag)
			other := s.get(t, path, "If-None-Match", `"another"`)
			wantStatus(t, "another tag", other, http.StatusOK)
			equal(t, "body", other.Body, first.Body)
		})
	}
}

func TestEveryAnswerHasTheCommonHeaders(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for _, path := range []string{statusPath, "/.well-known/jwks.json", "/livez", "/nothing", loginPath} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			a := s.request(t, method, path, "")
			if id := a.Header.Get("Trace-Id"); len(id) != 32 {
				t.Errorf("%s %s: Trace-Id %q", method, path, id)
			}
			equal(t, method+path, a.Header.Get("X-Content-Type-Options"), "nosniff")
		}
	}
}

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for _, path := range []string{statusPath, jwksPath, configurationPath, "/livez", "/readyz", "/health", "/"} {
		get, head := s.get(t, path), s.request(t, http.MethodHead, path, "")
		wantStatus(t, path, head, get.Status)
		equal(t, path, head.Body, "")
		for _, name := range []string{"Content-Type", "Etag", "Cache-Control"} {
			equal(t, path+" "+name, head.Header.Get(name), get.Header.Get(name))
		}
	}
}

// TestWithoutDatabase checks that what needs no database works, and that the rest
// is 503.
func TestWithoutDatabase(t *testing.T) {
	t.Parallel()
	s := start(t, setup{databaseURL: "postgres://craftista_auth:secret@127.0.0.1:1/craftista?sslmode=disable"})
	for _, path := range []string{"/livez", "/health", "/status", statusPath, "/.well-known/jwks.json"} {
		wantStatus(t, path, s.get(t, path), http.StatusOK)
	}
	ready := s.get(t, "/readyz")
	wantStatus(t, "readyz", ready, http.StatusServiceUnavailable)
	equal(t, "readyz", strings.Split(ready.Body, `,"took_ms"`)[0], `{"status":"unready","checks":{"database":"down"}`)
	const detail = "something this needs is not answering, try again shortly"
	for path, a := range map[string]answer{
		loginPath:    s.login(t, "Crane", password),
		registerPath: s.register(t, "Crane", "crane@example.com", password),
		refreshPath:  s.refresh(t, "x"),
		logoutPath:   s.logout(t, "x"),
	} {
		wantProblem(t, a, http.StatusServiceUnavailable, path, detail)
		equal(t, path, a.Header.Get("Retry-After"), "2")
	}
}

func TestBeforeTheMigrations(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.exec(t, `ALTER TABLE auth.users RENAME TO to_come`)
	wantStatus(t, "readyz", s.get(t, "/readyz"), http.StatusServiceUnavailable)
	wantStatus(t, "login", s.login(t, "Crane", password), http.StatusServiceUnavailable)
}

func TestNothingInternalLeaks(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.exec(t, `ALTER TABLE auth.users RENAME COLUMN role TO gone`)
	for path, a := range map[string]answer{
		loginPath:    s.login(t, "Crane", password),
		registerPath: s.register(t, "Crane", "crane@example.com", password),
	} {
		wantProblem(t, a, http.StatusInternalServerError, path, "something went wrong here")
	}
	s.wantLog(t, "select user: ")
	s.wantLog(t, "insert user: ")
}
