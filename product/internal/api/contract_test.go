package api_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"craftista/shared/openapi/openapitest"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
)

// TestContract holds every kind of answer to openapi.json and to what all
// services promise.
func TestContract(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	crane := g.addProduct(t, "Crane", day(1))
	g.addProduct(t, "Frog", day(2))
	g.addVotes(t, crane, 3)
	spec, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	router := g.service(g.openCache(t, "redis://"+miniredis.RunT(t).Addr()))
	contract := openapitest.New(t, spec, router)
	s := suite{g: g, h: contract.Handler(router), crane: crane}
	t.Run("revalidation", s.revalidation) // before others change what it reads twice
	t.Run("group", func(t *testing.T) {   // which ends when the parallel tests in it have
		for name, test := range map[string]func(*testing.T){
			"reads":          s.reads,
			"bad parameters": s.badParameters,
			"not found":      s.notFound,
			"bad tokens":     s.badTokens,
			"voting":         s.voting,
			"scopes":         s.scopes,
			"votes of mine":  s.mine,
			"editing":        s.editing,
			"deleting":       s.deleting,
			"preconditions":  s.preconditions,
			"good drafts":    s.goodDrafts,
			"bad drafts":     s.badDrafts,
			"bad bodies":     s.badBodies,
			"editors":        s.editors,
			"added again":    s.addedAgain,
			"bad keys":       s.badKeys,
			"images":         s.images,
			"bad images":     s.badImages,
			"all of mine":    s.allOfMine,
			"forgotten":      s.forgotten,
			"stream":         s.stream,
			"service":        s.service,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
	contract.AssertCovered()
	contract.AssertComplete()
}

type suite struct {
	g     *gallery
	h     http.Handler
	crane int64
}

func (s suite) reads(t *testing.T) {
	want := product{
		ID: s.crane, Name: "Crane", Description: "Flies.", ImageURL: "/static/crane.svg", Votes: 3,
		Difficulty: "easy", Folds: 21, Paper: "15 cm square", CreatedAt: day(1), UpdatedAt: day(1),
	}
	for _, target := range []string{path(s.crane, ""), strings.Replace(path(s.crane, ""), "origamis", "products", 1)} {
		w := call(t, s.h, "GET", target, "")
		if diff := cmp.Diff(body[product](t, w, 200), want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", target, diff)
		}
		if !strings.Contains(w.Body.String(), `"created_at":"2026-01-01T12:00:00.123456Z"`) {
			t.Errorf("%s: times are not RFC 3339 in UTC: %s", target, w.Body)
		}
	}
	for _, target := range []string{"/api/products?limit=1&color=red", "/api/origamis?limit=1&q=&cursor=&sort="} {
		w := call(t, s.h, "GET", target, "")
		if diff := cmp.Diff(body[[]product](t, w, 200), []product{want}); diff != "" {
			t.Errorf("%s (-got +want):\n%s", target, diff)
		}
	}
	w := call(t, s.h, "GET", path(s.crane, "/votes"), "")
	if diff := cmp.Diff(body[count](t, w, 200), count{OrigamiID: s.crane, Votes: 3}); diff != "" {
		t.Errorf("votes (-got +want):\n%s", diff)
	}
}

// revalidation: every GET whose reply holds for a while has an ETag, answers it
// with 304, and HEAD with the same headers and no body.
func (s suite) revalidation(t *testing.T) {
	frog := s.crane + 1
	for _, row := range []struct{ target, cacheControl string }{
		{"/api/products", "no-cache"},
		{"/api/origamis?sort=name", "no-cache"},
		{path(frog, ""), "no-cache"},
		{path(frog, "/votes"), "no-cache"},
		{"/api/votes/mine?ids=1", "private, no-cache"},
		{"/api/votes/mine", "private, no-cache"},
	} {
		got := call(t, s.h, "GET", row.target, s.g.token(9))
		tag := got.Header().Get("ETag")
		if got.Code != 200 || got.Header().Get("Cache-Control") != row.cacheControl || !strings.HasPrefix(tag, `"`) {
			t.Errorf("GET %s: status %d, header %v", row.target, got.Code, got.Header())
		}
		head := call(t, s.h, "HEAD", row.target, s.g.token(9))
		if head.Code != 200 || head.Header().Get("ETag") != tag {
			t.Errorf("HEAD %s: status %d, header %v", row.target, head.Code, head.Header())
		}
		again := send(t, s.h, "GET", row.target, s.g.token(9), "", "", "If-None-Match", tag)
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("GET %s again: status %d, body %s", row.target, again.Code, again.Body)
		}
	}
}

type badParameter struct {
	target string
	want   []field // nil where the parameter is good after all
}

func badParameters(good string) []badParameter {
	const (
		sort   = "must be id, -votes, name or -created_at"
		limit  = "must be between 1 and 100"
		cursor = "must be one that a page in this order gave"
		mine   = "must be one that a page of this list gave"
		ids    = "must be 1 to 100 positive integers with commas between"
		live   = "must be 1 to 1000 positive integers with commas between"
		newest = "/api/products?sort=-created_at&cursor="
	)
	both := []field{{"limit", limit}, {"cursor", mine}}
	return []badParameter{
		{"/api/products?sort=votes", []field{{"sort", sort}}},
		{"/api/products?difficulty=Easy", []field{{"difficulty", "must be easy, intermediate or advanced"}}},
		{"/api/products?difficulty=", nil},
		{"/api/products?sort=id%3BDROP", []field{{"sort", sort}}}, // a query that cannot be read is none
		{"/api/products?limit=0", []field{{"limit", limit}}},
		{"/api/products?limit=101", []field{{"limit", limit}}},
		{"/api/products?limit=-1", []field{{"limit", limit}}},
		{"/api/products?limit=ten", []field{{"limit", limit}}},
		{"/api/products?limit=99999999999999999999", []field{{"limit", limit}}},
		{"/api/products?cursor=%00", []field{{"cursor", cursor}}},
		{"/api/products?cursor=x", []field{{"cursor", cursor}}},
		{"/api/products?cursor=" + good, []field{{"cursor", cursor}}},
		{"/api/products?sort=name&cursor=" + good, nil},
		{"/api/products?sort=name&cursor=" + good[:len(good)-2], []field{{"cursor", cursor}}},
		{"/api/products?sort=name&cursor=" + encode(`{"s":"name","i":1,"n":"\u0000"}`), []field{{"cursor", cursor}}},
		{"/api/products?sort=name&cursor=" + encode(`{"s":"name","i":"1"}`), []field{{"cursor", cursor}}},
		{"/api/products?sort=name&cursor=" + encode(`{"s":"name","i":1,"x":1}`), []field{{"cursor", cursor}}},
		{newest + encode(`{"s":"-created_at","i":1,"t":"soon"}`), []field{{"cursor", cursor}}},
		{newest + encode(`{"s":"-created_at","i":1,"t":"0000-01-01T00:00:00Z"}`), nil},
		{"/api/products?sort=no&limit=0&cursor=x", []field{{"sort", sort}, {"limit", limit}, {"cursor", cursor}}},
		{"/api/votes/mine", nil},
		{"/api/votes/mine?limit=100&cursor=", nil},
		{"/api/votes/mine?cursor=" + encode(`{"s":"mine","i":1,"t":"2026-01-01T00:00:00Z"}`), nil},
		{"/api/votes/mine?limit=0&cursor=" + encode(`{"s":"-created_at","i":1,"t":"2026-01-01T00:00:00Z"}`), both},
		{"/api/votes/mine?limit=101&cursor=" + encode(`{"s":"mine","i":1,"t":"2026-01-01T00:00:00+23:00"}`), both},
		{newest + encode(`{"s":"mine","i":1,"t":"2026-01-01T00:00:00Z"}`), []field{{"cursor", cursor}}},
		{"/api/votes/mine?ids=", []field{{"ids", ids}}},
		{"/api/votes/mine?ids=1,,2", []field{{"ids", ids}}},
		{"/api/votes/mine?ids=0", []field{{"ids", ids}}},
		{"/api/votes/mine?ids=1,9223372036854775808", []field{{"ids", ids}}},
		{"/api/votes/mine?ids=1" + strings.Repeat(",1", 99), nil},
		{"/api/votes/mine?ids=1" + strings.Repeat(",1", 100), []field{{"ids", ids}}},
		{"/api/votes/stream?ids=1,x", []field{{"ids", live}}},
		{"/api/votes/stream?ids=1" + strings.Repeat(",1", 1000), []field{{"ids", live}}},
	}
}

func (s suite) badParameters(t *testing.T) {
	for _, target := range []string{
		"/api/products?limit=%zz", "/api/votes/mine?ids=1;2", "/api/votes/stream?ids=%zz",
	} {
		body[problem](t, call(t, s.h, "GET", target, s.g.token(9)), 400)
	}
	next := call(t, s.h, "GET", "/api/products?limit=1&sort=name", "").Header().Get("Link")
	good := strings.TrimPrefix(strings.Split(next, "&")[0], "</api/products?cursor=")
	for _, row := range badParameters(good) {
		w := call(t, s.h, "GET", row.target, s.g.token(9))
		if row.want == nil {
			if w.Code != 200 {
				t.Errorf("%s: status %d, body %s", row.target, w.Code, w.Body)
			}
			continue
		}
		if diff := cmp.Diff(body[problem](t, w, 422).Errors, row.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", row.target, diff)
		}
	}
}

func (s suite) notFound(t *testing.T) {
	for _, target := range []string{
		"/api/nothing", path(999, ""), "/api/products/999", path(0, ""), "/api/products/01",
		path(999, "/votes"), "/api/origamis/x/votes",
	} {
		w := call(t, s.h, "GET", target, "")
		checkProblem(t, w, 404, target)
		if got := w.Header().Get("X-Cache"); got != "" {
			t.Errorf("%s has X-Cache %q", target, got)
		}
	}
	for _, method := range []string{"POST", "DELETE"} {
		for _, target := range []string{path(999, "/vote"), "/api/origamis/x/vote"} {
			checkProblem(t, call(t, s.h, method, target, s.g.token(9)), 404, target)
		}
	}
}

// checkProblem checks a problem's status and that it says what is wrong and where.
// Everything else of a problem is shared/web's.
func checkProblem(t *testing.T, w *httptest.ResponseRecorder, status int, instance string) {
	t.Helper()
	got := body[problem](t, w, status)
	if got.Detail == "" || got.Instance != instance || got.TraceID != w.Header().Get("Trace-Id") {
		t.Errorf("%s: %s", instance, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s: media type %q", instance, got)
	}
}

// service calls what all services have; what it says is shared/health's.
func (s suite) service(t *testing.T) {
	for target, want := range map[string]string{
		"/livez": `"alive"`, "/readyz": `"checks":{"database":"ok"}`, "/health": `"ok"`, "/status": `"version":"v-test"`,
		"/": `"service":"product"`, "/api/system-info": `"hostname":`, "/docs": "<!doctype html>",
		"/openapi.json": `"openapi": "3.1.0"`,
	} {
		if w := call(t, s.h, "GET", target, ""); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: status %d, body without %s", target, w.Code, want)
		}
	}
}
