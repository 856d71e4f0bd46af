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
	s, box := startWithMail(t)
	s.exec(t, `UPDATE auth.users SET role = 'admin'`)
	s.useMail(t, box)
	got := read[tokens](t, s.refresh(t, s.tokens(t).Refresh))
	s.useOAuth(t, got.Access)
	s.sessions(t, got.Access)
	s.end(t, got.Access, "")
	s.end(t, s.signIn(t), fmt.Sprintf("/%d", s.sessions(t, got.Access)[0].ID))
	s.logout(t, got.Refresh)
	got = s.tokens(t)
	s.changePassword(t, got.Access, password, newPassword)
	s.put(t, got.Access, "/1/role", `{"role":"admin"}`)
	s.put(t, got.Access, "/1/disabled", `{"disabled":false}`)
	for _, path := range []string{
		statusPath, mePath, usersPath, "/.well-known/jwks.json", "/.well-known/openid-configuration", revokedPath,
		"/", "/livez", "/readyz", "/health", "/status", "/api/system-info", "/docs", "/openapi.json",
	} {
		wantStatus(t, path, s.getAs(t, got.Access, path), http.StatusOK)
	}
	s.deleteMe(t, read[tokens](t, s.registered(t, "Heron")).Access, password)
	s.contract.AssertCovered()
	s.contract.AssertComplete()
}

// useOAuth uses every OAuth endpoint once, for a person with that access token.
func (s *service) useOAuth(t *testing.T, access string) {
	t.Helper()
	a := s.client(t, allScopes)
	query := a.request().Encode()
	s.get(t, authorizePath+"?"+query)
	s.post(t, authorizePath, app{}, a.request())
	s.postJSON(t, "/oauth2/consent", map[string]string{"query": query}, "X-Internal-API-Key", internalKey)
	got := s.grant(t, access, a, allScopes)
	s.getAs(t, got.Access, userinfoPath)
	s.request(t, http.MethodPost, userinfoPath, "", "Authorization", "Bearer "+got.Access)
	s.post(t, "/oauth2/introspect", a, url.Values{"token": {got.Access}})
	s.post(t, "/oauth2/revoke", a, url.Values{"token": {got.Access}})
	s.get(t, "/oauth2/logout?id_token_hint="+got.ID)
	s.post(t, "/oauth2/logout", app{}, url.Values{"id_token_hint": {got.ID}})
}

// TestBodiesAreReadStrictly checks that each path reads its body by web.Decode,
// whose own test has all that it refuses.
func TestBodiesAreReadStrictly(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for _, path := range []string{
		registerPath, loginPath, refreshPath, logoutPath, "/oauth2/consent", forgotPath, resetPath, confirmPath,
	} {
		a := s.request(t, http.MethodPost, path, `{"x":7}`, "X-Internal-API-Key", internalKey)
		wantProblem(t, a, http.StatusBadRequest, path, `the body has the unknown field "x"`)
	}
}

func TestGetsAreTagged(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for path, want := range map[string]string{
		"/.well-known/jwks.json":            "public, max-age=300",
		revokedPath:                         "public, max-age=5",
		"/.well-known/openid-configuration": "public, max-age=300",
		statusPath:                          "private, no-cache",
		"/":                                 "no-cache",
		"/api/system-info":                  "no-cache",
		"/openapi.json":                     "public, max-age=300",
		"/docs":                             "public, max-age=300",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			got := s.get(t, path)
			equal(t, "Cache-Control", got.Header.Get("Cache-Control"), want)
			again := s.get(t, path, "If-None-Match", got.Header.Get("Etag"))
			wantStatus(t, "If-None-Match", again, http.StatusNotModified)
		})
	}
}

// TestWithoutDatabase checks that what needs no database works, and that the rest
// is 503.
func TestWithoutDatabase(t *testing.T) {
	t.Parallel()
	s := start(t, setup{databaseURL: "postgres://craftista_auth:secret@127.0.0.1:1/craftista?sslmode=disable"})
	for _, path := range []string{"/livez", "/health", "/status", statusPath} {
		wantStatus(t, path, s.get(t, path), http.StatusOK)
	}
	wantStatus(t, "keys", s.get(t, "/.well-known/jwks.json"), http.StatusServiceUnavailable)
	ready := s.get(t, "/readyz")
	wantStatus(t, "readyz", ready, http.StatusServiceUnavailable)
	equal(t, "readyz", strings.Split(ready.Body, `,"took_ms"`)[0], `{"status":"unready","checks":{"database":"down"}`)
	const detail = "a service that this needs is not responding, try again shortly"
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
