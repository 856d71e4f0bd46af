package openapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"craftista/shared/openapi"
	"craftista/shared/openapi/openapitest"
	"craftista/shared/telemetry"
	"craftista/shared/web"
)

const spec = `{"openapi":"3.1.0","info":{"title":"Paper <b>","version":"1","description":"Sheets."},
"paths":{"/sheets/{id}":{"get":{"summary":"One sheet.",
"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}}],
"responses":{
"200":{"description":"the sheet","content":{"application/json":{"schema":{"$ref":"#/components/schemas/sheet"}}}},
"404":{"$ref":"#/components/responses/problem"}}}}},
"components":{"schemas":{"sheet":{"type":"object","required":["side"],"properties":{"side":{"type":"integer"}},
"additionalProperties":false}},
"responses":{"problem":{"description":"a problem",
"content":{"application/problem+json":{"schema":{"type":"object","required":["status"]}}}}}}}`

func TestRoutesServeTheDocumentAndAPage(t *testing.T) {
	t.Parallel()
	r := web.NewRouter(telemetry.Discard(), web.Problem)
	openapi.Routes(r, []byte(spec))
	get := func(path string) *httptest.ResponseRecorder {
		res := httptest.NewRecorder()
		r.ServeHTTP(res, httptest.NewRequest("GET", path, nil))
		return res
	}
	if res := get("/openapi.json"); res.Body.String() != spec || res.Header().Get("Etag") == "" {
		t.Errorf("openapi.json: %d %v", res.Code, res.Header())
	}
	page := get("/docs")
	for _, want := range []string{"Paper &lt;b&gt;", "/sheets/{id}", "One sheet.", "the sheet"} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if !strings.Contains(page.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("the page's CSP is %q", page.Header().Get("Content-Security-Policy"))
	}
}

// recorder stands for a test that is expected to fail.
type recorder struct {
	testing.TB
	errors int
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.errors++ }

// TestContractCatchesWhatADocumentLacks takes each part that a complete document has away.
func TestContractCatchesWhatADocumentLacks(t *testing.T) {
	t.Parallel()
	const complete = `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"servers":[{"url":"/"}],
"paths":{"/sheets/{id}":{"put":{"operationId":"fold","security":[{"key":[]}],
"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}}],
"requestBody":{"content":{"text/plain":{}}},
"responses":{
"200":{"description":"d"},
"400":{"description":"d","content":{"text/html":{}}},
"401":{"description":"d","headers":{"WWW-Authenticate":{"schema":{}}},"content":{"application/problem+json":{}}},
"413":{"$ref":"#/components/responses/problem"},
"415":{"$ref":"#/components/responses/problem"},
"500":{"$ref":"#/components/responses/problem"},
"503":{"description":"d","headers":{"Retry-After":{"schema":{}}},"content":{"application/problem+json":{}}}}}}},
"components":{"securitySchemes":{"key":{"type":"http","scheme":"basic"}},
"responses":{"problem":{"description":"d","content":{"application/problem+json":{}}}}}}`
	r := web.NewRouter(telemetry.Discard(), web.Problem)
	r.Put("/sheets/{id}", func(http.ResponseWriter, *http.Request) error { return nil })
	complaints := func(spec string) int {
		tb := &recorder{TB: t}
		openapitest.New(tb, []byte(spec), r).AssertComplete()
		return tb.errors
	}
	if got := complaints(complete); got != 0 {
		t.Errorf("%d complaints about a complete document", got)
	}
	for _, part := range []string{
		`"servers":[{"url":"/"}],`, `"operationId":"fold",`, `"security":[{"key":[]}],`,
		`"WWW-Authenticate":{"schema":{}}`, `"Retry-After":{"schema":{}}`, `"text/html":{}`,
		`"413":{"$ref":"#/components/responses/problem"},`,
		`"500":{"$ref":"#/components/responses/problem"},`,
	} {
		if got := complaints(strings.Replace(complete, part, "", 1)); got != 1 {
			t.Errorf("%d complaints without %s, want 1", got, part)
		}
	}
}

// TestContractCatchesEachBreach breaks the document in each way there is.
func TestContractCatchesEachBreach(t *testing.T) {
	t.Parallel()
	reply := func(status int, v any) web.Handler {
		return func(w http.ResponseWriter, _ *http.Request) error { return web.Reply(w, status, v) }
	}
	for _, row := range []struct {
		name    string
		pattern string
		handler web.Handler
		errors  int
	}{
		{"as documented", "/sheets/{id}", reply(200, map[string]int{"side": 15}), 0},
		{"wrong type", "/sheets/{id}", reply(200, map[string]string{"side": "15"}), 1},
		{"more than documented", "/sheets/{id}", reply(200, map[string]int{"side": 15, "x": 1}), 1},
		{"undocumented status, nothing succeeded", "/sheets/{id}", reply(418, nil), 2},
		{"wrong media type, nothing succeeded", "/sheets/{id}", reply(404, nil), 2},
		{"other routes than documented, nothing succeeded", "/other", reply(200, nil), 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := web.NewRouter(telemetry.Discard(), web.Problem)
			openapi.Routes(r, []byte(spec))
			r.Get(row.pattern, row.handler)
			tb := &recorder{TB: t}
			contract := openapitest.New(tb, []byte(spec), r)
			contract.Handler(r).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/sheets/1", nil))
			contract.AssertCovered()
			if tb.errors != row.errors {
				t.Errorf("%d complaints, want %d", tb.errors, row.errors)
			}
		})
	}
}
