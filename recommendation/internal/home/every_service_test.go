package home_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func paths() []string {
	return []string{
		"/", "/livez", "/readyz", "/health", "/status", "/docs", "/openapi.json",
		"/api/system-info", "/api/recommendation-status", dailyPath, archivePath, picksPath, alsoLikedPath,
	}
}

func TestEveryAnswerKeepsTheContract(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 1)
	router := w.router(t, at(t, "2026-03-01T12:00:00Z"))
	document := contract(t, router)
	h := document.Handler(router)
	for _, path := range paths() {
		res := get(t, h, path)
		if res.Code != http.StatusOK {
			t.Errorf("%s: got status %d, want 200", path, res.Code)
		}
		wantCommon(t, res)
		wantSameHead(t, res, ask(t, h, http.MethodHead, path))
		if tag := res.Header().Get("Etag"); tag != "" {
			wantNotModified(t, h, path, tag)
		} else if res.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept and has no ETag", path)
		}
	}
	document.AssertCovered()
}

func wantCommon(t *testing.T, res *httptest.ResponseRecorder) {
	t.Helper()
	wantHeaders(t, res, "X-Content-Type-Options", "nosniff")
	if got := res.Header().Get("Trace-Id"); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(got) {
		t.Errorf("got Trace-Id %q, want 32 hexadecimal digits", got)
	}
	if res.Header().Get("Cache-Control") == "" {
		t.Error("no Cache-Control")
	}
}

func wantSameHead(t *testing.T, get, head *httptest.ResponseRecorder) {
	t.Helper()
	varies := cmpopts.IgnoreMapEntries(func(name string, _ []string) bool { return name == "Trace-Id" || name == "Content-Length" })
	if diff := cmp.Diff(head.Header(), get.Header(), varies); diff != "" || head.Code != get.Code {
		t.Errorf("HEAD: got status %d, want %d; headers (-got +want):\n%s", head.Code, get.Code, diff)
	}
}

func wantNotModified(t *testing.T, h http.Handler, path, tag string) {
	t.Helper()
	for _, match := range []string{tag, `"other", W/` + tag, "*"} {
		res := get(t, h, path, "If-None-Match", match)
		if res.Code != http.StatusNotModified || res.Body.Len() != 0 {
			t.Errorf("%s with If-None-Match %s: got %d %s, want 304 without a body", path, match, res.Code, res.Body)
		}
		wantHeaders(t, res, "Etag", tag)
	}
	if res := get(t, h, path, "If-None-Match", `"other"`); res.Code != http.StatusOK {
		t.Errorf("%s with another ETag: got %d, want 200", path, res.Code)
	}
}

func TestWhatTheServiceSaysAboutItself(t *testing.T) {
	t.Parallel()
	h := newWorld(t).replica(t, time.Now)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]any{"docs": "/docs", "openapi": "/openapi.json", "health": "/health", "ready": "/readyz", "system": "/api/system-info"}
	ignore := cmpopts.IgnoreMapEntries(func(name string, _ any) bool {
		return name == "timestamp" || name == "ip_address" || strings.HasPrefix(name, "is_") // the machine's, held by the document
	})
	tests := map[string]map[string]any{
		"/": {
			"service": "recommendation", "description": "The origami of the day for everyone, and picks for each person.",
			"version": "1.2.3", "host": map[string]any{"hostname": host}, "links": links,
		},
		"/api/system-info": {"hostname": host},
		"/health":          {"status": "ok", "version": "1.2.3"},
		"/status":          {"status": "ok", "version": "1.2.3"},
		"/livez":           {"status": "alive"},
	}
	for path, want := range tests {
		if diff := cmp.Diff(ok[map[string]any](t, get(t, h, path)), want, ignore); diff != "" {
			t.Errorf("%s (-got +want):\n%s", path, diff)
		}
	}
	docs := get(t, h, "/docs")
	wantHeaders(t, docs, "Content-Type", "text/html; charset=utf-8")
	for _, path := range []string{dailyPath, picksPath, "/api/recommendation-status"} {
		if !strings.Contains(docs.Body.String(), path) {
			t.Errorf("/docs does not show %s", path)
		}
	}
}

func TestUnknownPathsAreProblems(t *testing.T) {
	t.Parallel()
	h := newWorld(t).replica(t, time.Now)
	for _, path := range []string{"/nowhere", "/api", "/api/recommendations/1", "/api/origami-of-the-day/", "/livez/x"} {
		res := get(t, h, path)
		wantProblem(t, res, path, http.StatusNotFound, "nothing is at "+path)
		wantCommon(t, res)
	}
}

func TestOtherMethodsAreProblems(t *testing.T) {
	t.Parallel()
	h := newWorld(t).replica(t, time.Now)
	for _, path := range paths() {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			res := ask(t, h, method, path)
			wantHeaders(t, res, "Allow", "GET, HEAD")
			wantCommon(t, res)
			wantProblem(t, res, path, http.StatusMethodNotAllowed, method+" is not for "+path)
		}
	}
}
