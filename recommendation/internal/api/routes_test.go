package api_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"craftista/shared/fault"
)

func paths() []string {
	return []string{
		"/", "/livez", "/readyz", "/health", "/status", "/docs", "/openapi.json",
		"/api/system-info", statusPath, dailyPath, archivePath, picksPath, alsoLikedPath,
	}
}

func TestEveryAnswerKeepsTheContract(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 1)
	router := f.router(t, clock(t, "2026-03-01T12:00:00Z"))
	document := contract(t, router)
	h := document.Handler(router)
	for _, path := range paths() {
		res := get(t, h, path)
		if res.Code != http.StatusOK {
			t.Errorf("%s: got status %d, want 200", path, res.Code)
		}
		wantHeaders(t, res, "X-Content-Type-Options", "nosniff")
		if id := res.Header().Get("Trace-Id"); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) {
			t.Errorf("%s: got Trace-Id %q, want 32 hexadecimal digits", path, id)
		}
		if head := send(t, h, http.MethodHead, path); head.Code != http.StatusOK {
			t.Errorf("HEAD %s: got status %d, want 200", path, head.Code)
		}
		if tag := res.Header().Get("Etag"); tag != "" {
			again := get(t, h, path, "If-None-Match", tag)
			if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
				t.Errorf("%s with its ETag: got %d %s, want 304 without a body", path, again.Code, again.Body)
			}
		} else if res.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached and has no ETag", path)
		}
	}
	document.AssertCovered()
	document.AssertComplete()
}

func TestParamsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h := newFixture(t).replica(t, clock(t, "2026-03-01T12:00:00Z"))
	const number = "must be a whole number from 1 to 100"
	tests := []struct {
		path, name, rule string
		bad              []string
	}{
		{dailyPath, "date", "must be a day of the calendar as YYYY-MM-DD",
			[]string{"2026-02-29", "yesterday", "2026-02-28T00:00:00Z", "2026-3-1", "%27%3B--%00"}},
		{archivePath, "month", "must be a month of the calendar as YYYY-MM",
			[]string{"2026-13", "2026-00", "2026-3", "2026-03-01", "march", "-026-03", "%27%3B--%00"}},
		{picksPath, "limit", number,
			[]string{"0", "-1", "101", "4.5", "1e1", "four", "0x4", "%204", "99999999999999999999", "1%00"}},
		{alsoLikedPath, "limit", number, []string{"0", "101", "four"}},
	}
	for _, tt := range tests {
		for _, bad := range tt.bad {
			res := get(t, h, tt.path+"?"+tt.name+"="+bad)
			rule := fault.Field{Field: tt.name, Message: tt.rule}
			wantProblem(t, res, tt.path, http.StatusUnprocessableEntity, "the request breaks a rule", rule)
		}
		res := get(t, h, tt.path+"?"+tt.name+"=%zz")
		wantProblem(t, res, tt.path, http.StatusBadRequest, "the query of the URL is not well formed")
	}
}

func TestUnknownPathsAndMethodsAreProblems(t *testing.T) {
	t.Parallel()
	h := newFixture(t).replica(t, time.Now)
	for _, path := range []string{"/nowhere", "/api/recommendations/1", "/api/origami-of-the-day/"} {
		wantProblem(t, get(t, h, path), path, http.StatusNotFound, "nothing is at "+path)
	}
	for _, path := range paths() {
		res := send(t, h, http.MethodPost, path)
		wantHeaders(t, res, "Allow", "GET, HEAD")
		wantProblem(t, res, path, http.StatusMethodNotAllowed, "POST is not for "+path)
	}
}
