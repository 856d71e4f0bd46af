package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryOperationIsDocumentedAndWorks(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	s.exec(t, s.admin, `UPDATE auth.users SET role = 'admin'`)
	got := read[tokens](t, s.refresh(t, s.tokens(t).Refresh))
	s.walk(t, got.Access)
	s.sessions(t, got.Access)
	s.end(t, got.Access, "")
	s.end(t, s.signIn(t), fmt.Sprintf("/%d", s.sessions(t, got.Access)[0].ID))
	got = s.tokens(t)
	s.logout(t, got.Refresh)
	bearer := []string{"Authorization", "Bearer " + got.Access}
	s.request(t, http.MethodPost, passwordPath, `{"current_password":"seven paper cranes","new_password":"eight paper cranes"}`, bearer...)
	s.request(t, http.MethodPut, usersPath+"/1/role", `{"role":"admin"}`, bearer...)
	s.request(t, http.MethodPut, usersPath+"/1/disabled", `{"disabled":false}`, bearer...)
	for _, path := range []string{
		statusPath, mePath, usersPath, "/.well-known/jwks.json", "/.well-known/openid-configuration",
		"/", "/livez", "/readyz", "/health", "/status", "/api/system-info", "/docs", "/openapi.json",
	} {
		if a := s.get(t, path, bearer...); a.Status != http.StatusOK {
			t.Errorf("GET %s: %d %s", path, a.Status, a.Body)
		}
	}
	s.contract.AssertCovered()
}

func TestBodiesAreReadStrictly(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	key := []string{"X-Internal-API-Key", internalKey}
	for path, good := range map[string]string{
		registerPath: `{"username":"crane","email":"crane@example.com","password":"seven paper cranes"}`,
		loginPath:    `{"username":"crane","password":"seven paper cranes"}`,
		refreshPath:  `{"refresh_token":"seven-paper-cranes"}`,
		logoutPath:   `{"refresh_token":"seven-paper-cranes"}`,
	} {
		field := strings.Split(good, `"`)[1]
		for name, row := range map[string]struct {
			body    string
			headers []string
			status  int
			detail  string
		}{
			"no media type":    {"", nil, http.StatusUnsupportedMediaType, "the body must be application/json"},
			"a form":           {good, []string{"Content-Type", "application/x-www-form-urlencoded"}, http.StatusUnsupportedMediaType, "the body must be application/json"},
			"over 64 KiB":      {`{"username":"` + strings.Repeat("x", 64<<10) + `"}`, nil, http.StatusRequestEntityTooLarge, "the body is over 65536 bytes"},
			"no JSON":          {`username=crane`, nil, http.StatusBadRequest, "the body is not JSON, see byte 1"},
			"cut off":          {good[:20], nil, http.StatusBadRequest, "the body is not complete JSON"},
			"an empty body":    {" ", nil, http.StatusBadRequest, "the body is empty"},
			"not UTF-8":        {"{\"username\":\"\xff\"}", nil, http.StatusBadRequest, "the body is not UTF-8"},
			"an array":         {"[" + good + "]", nil, http.StatusBadRequest, "the body cannot be a JSON array"},
			"a number as text": {`{"` + field + `":7}`, nil, http.StatusBadRequest, "the field " + field + " cannot be a JSON number"},
			"an unknown field": {good[:len(good)-1] + `,"role":"admin"}`, nil, http.StatusBadRequest, `the body has the unknown field "role"`},
			"a second value":   {good + good, nil, http.StatusBadRequest, "the body holds more than one JSON value"},
		} {
			t.Run(path+" "+name, func(t *testing.T) {
				t.Parallel()
				a := s.request(t, http.MethodPost, path, row.body, append(key[:2:2], row.headers...)...)
				if diff := cmp.Diff(read[problem](t, a), problemOf(row.status, path, row.detail)); a.Status != row.status || diff != "" {
					t.Errorf("status %d, problem (-got +want):\n%s", a.Status, diff)
				}
				if got, want := a.Header.Get("Content-Type"), "application/problem+json"; got != want {
					t.Errorf("Content-Type %q, want %q", got, want)
				}
			})
		}
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
			want := problem{Type: "about:blank", Title: http.StatusText(row.status), Status: row.status, Detail: got.Detail, Instance: got.Instance}
			if diff := cmp.Diff(got, want); a.Status != row.status || diff != "" || got.Detail == "" {
				t.Errorf("status %d, problem (-got +want):\n%s", a.Status, diff)
			}
			if got := a.Header.Get("Allow"); got != row.allow {
				t.Errorf("Allow %q, want %q", got, row.allow)
			}
			if got, want := a.Header.Get("Content-Type"), "application/problem+json"; got != want {
				t.Errorf("Content-Type %q, want %q", got, want)
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
			if !strings.HasPrefix(tag, `"`) || first.Header.Get("Cache-Control") != want {
				t.Errorf("ETag %q, Cache-Control %q, want a strong tag and %q", tag, first.Header.Get("Cache-Control"), want)
			}
			again := s.get(t, path, "If-None-Match", tag)
			if again.Status != http.StatusNotModified || again.Body != "" || again.Header.Get("Etag") != tag {
				t.Errorf("If-None-Match: %d, ETag %q, body %q", again.Status, again.Header.Get("Etag"), again.Body)
			}
			if other := s.get(t, path, "If-None-Match", `"another"`); other.Status != http.StatusOK || other.Body != first.Body {
				t.Errorf("another tag: %d %s", other.Status, other.Body)
			}
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
			if got, want := a.Header.Get("X-Content-Type-Options"), "nosniff"; got != want {
				t.Errorf("%s %s: X-Content-Type-Options %q, want %q", method, path, got, want)
			}
		}
	}
}

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for _, path := range []string{statusPath, "/.well-known/jwks.json", "/.well-known/openid-configuration", "/livez", "/readyz", "/health", "/"} {
		get, head := s.get(t, path), s.request(t, http.MethodHead, path, "")
		if head.Status != get.Status || head.Body != "" {
			t.Errorf("HEAD %s: %d %q, want %d and no body", path, head.Status, head.Body, get.Status)
		}
		for _, name := range []string{"Content-Type", "Etag", "Cache-Control"} {
			if got, want := head.Header.Get(name), get.Header.Get(name); got != want {
				t.Errorf("HEAD %s: %s %q, want %q", path, name, got, want)
			}
		}
	}
}

// TestWithoutDatabase holds what needs no database to standing, the rest to 503.
func TestWithoutDatabase(t *testing.T) {
	t.Parallel()
	s := start(t, setup{databaseURL: "postgres://craftista_auth:secret@127.0.0.1:1/craftista?sslmode=disable"})
	for _, path := range []string{"/livez", "/health", "/status", statusPath, "/.well-known/jwks.json"} {
		if a := s.get(t, path); a.Status != http.StatusOK {
			t.Errorf("GET %s: %d %s", path, a.Status, a.Body)
		}
	}
	ready := s.get(t, "/readyz")
	if diff := cmp.Diff(strings.Split(ready.Body, `,"took_ms"`)[0], `{"status":"unready","checks":{"database":"down"}`); ready.Status != http.StatusServiceUnavailable || diff != "" {
		t.Errorf("readyz: %d, body (-got +want):\n%s", ready.Status, diff)
	}
	const detail = "something this needs is not answering, try again shortly"
	for path, a := range map[string]answer{
		loginPath:    s.login(t, "Crane", password),
		registerPath: s.register(t, "Crane", "crane@example.com", password),
		refreshPath:  s.refresh(t, "x"),
		logoutPath:   s.logout(t, "x"),
	} {
		if diff := cmp.Diff(read[problem](t, a), problemOf(http.StatusServiceUnavailable, path, detail)); diff != "" {
			t.Errorf("problem (-got +want):\n%s", diff)
		}
		if got, want := a.Header.Get("Retry-After"), "2"; got != want {
			t.Errorf("%s: Retry-After %q, want %q", path, got, want)
		}
	}
}

func TestBeforeTheMigrations(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.exec(t, s.admin, `ALTER TABLE auth.users RENAME TO to_come`)
	if a := s.get(t, "/readyz"); a.Status != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d %s", a.Status, a.Body)
	}
	if a := s.login(t, "Crane", password); a.Status != http.StatusServiceUnavailable {
		t.Errorf("login: %d %s", a.Status, a.Body)
	}
}

func TestNothingInternalLeaks(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.exec(t, s.admin, `ALTER TABLE auth.users RENAME COLUMN role TO gone`)
	for path, a := range map[string]answer{
		loginPath:    s.login(t, "Crane", password),
		registerPath: s.register(t, "Crane", "crane@example.com", password),
	} {
		if diff := cmp.Diff(read[problem](t, a), problemOf(http.StatusInternalServerError, path, "something went wrong here")); diff != "" {
			t.Errorf("problem (-got +want):\n%s", diff)
		}
	}
	if logged := s.logs.String(); !strings.Contains(logged, "select user: ") || !strings.Contains(logged, "insert user: ") {
		t.Errorf("the causes are not in the log:\n%s", logged)
	}
}
