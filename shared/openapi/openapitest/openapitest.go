// Package openapitest compares running handlers with their OpenAPI document: every exchange of a test suite is checked
// against it, and every route and every documented operation is accounted for.
package openapitest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"craftista/shared/web"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
)

// Contract is an OpenAPI document that exchanges are compared with. It is safe for concurrent use.
type Contract struct {
	tb       testing.TB
	router   *web.Router
	document *openapi3.T

	mu   sync.Mutex // guards seen
	seen map[string]bool
}

// New reads the document and compares its operations with the router's routes:
// each must be in the other, /openapi.json and /docs apart.
func New(tb testing.TB, spec []byte, router *web.Router) *Contract {
	tb.Helper()
	document, err := openapi3.NewLoader().LoadFromData(spec)
	if err == nil {
		err = document.Validate(tb.Context())
	}
	if err != nil {
		tb.Fatalf("read OpenAPI document: %v", err)
	}
	c := &Contract{tb: tb, router: router, document: document, seen: map[string]bool{}}
	var routed []string
	router.Walk(func(method, pattern string) {
		if pattern != "/openapi.json" && pattern != "/docs" {
			routed = append(routed, method+" "+pattern)
		}
	})
	slices.Sort(routed)
	if diff := cmp.Diff(c.operations(), routed); diff != "" {
		tb.Errorf("operations (-document +router):\n%s", diff)
	}
	return c
}

// Handler is router with every exchange checked.
func (c *Contract) Handler(router http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		router.ServeHTTP(recorder, r)
		c.check(r, unzipped(c.tb, recorder))
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(recorder.Body.Bytes())
	})
}

// unzipped is the response with its body as it was before compression.
func unzipped(tb testing.TB, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() == 0 {
		return w
	}
	plain := *w
	plain.Body = &bytes.Buffer{}
	z, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
	if err == nil {
		_, err = io.Copy(plain.Body, z)
	}
	if err != nil {
		tb.Errorf("unzip body: %v", err)
	}
	return &plain
}

// check compares one exchange with the document: the status is documented, the media type is one of that status's,
// and a JSON body has the documented shape. What the router itself answers with 404 and 405 is not documented, nor
// what a client that disconnected does not get.
func (c *Contract) check(r *http.Request, got *httptest.ResponseRecorder) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	path := c.router.Pattern(method, r.URL.EscapedPath())
	item := c.document.Paths.Value(path)
	if item == nil || item.GetOperation(method) == nil ||
		got.Code == http.StatusNotModified || got.Code == web.StatusClientClosedRequest {
		return
	}
	where := fmt.Sprintf("%s %s → %d", r.Method, path, got.Code)
	documented := item.GetOperation(method).Responses.Status(got.Code)
	if documented == nil {
		c.tb.Errorf("%s is not documented (body %s)", where, got.Body)
		return
	}
	if got.Code < 400 { // a redirect is what some operations are for
		c.mu.Lock()
		c.seen[method+" "+path] = true
		c.mu.Unlock()
	}
	if len(documented.Value.Content) == 0 && got.Body.Len() == 0 {
		return
	}
	media, _, _ := strings.Cut(got.Header().Get("Content-Type"), ";")
	content, ok := documented.Value.Content[media]
	if !ok {
		c.tb.Errorf("%s has the media type %q, which is not documented", where, media)
		return
	}
	if !strings.HasSuffix(media, "json") || r.Method == http.MethodHead {
		return
	}
	var body any
	err := json.Unmarshal(got.Body.Bytes(), &body)
	if err == nil {
		err = content.Schema.Value.VisitJSON(body, openapi3.EnableJSONSchema2020())
	}
	if err != nil {
		c.tb.Errorf("%s breaks the document: %v\nbody %s", where, err, got.Body)
	}
}

// AssertCovered reports each documented operation that no exchange succeeded
// at. Call it when all tests are done.
func (c *Contract) AssertCovered() {
	c.tb.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, operation := range c.operations() {
		if !c.seen[operation] {
			c.tb.Errorf("no test saw %s succeed", operation)
		}
	}
}

func (c *Contract) operations() []string {
	var all []string
	for path, item := range c.document.Paths.Map() {
		for method := range item.Operations() {
			all = append(all, method+" "+path)
		}
	}
	slices.Sort(all)
	return all
}
