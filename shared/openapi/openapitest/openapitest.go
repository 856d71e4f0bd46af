// Package openapitest compares running handlers with their OpenAPI document: every exchange of a test suite is checked
// against it, and every route and every documented operation is accounted for.
package openapitest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"craftista/shared/web"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const documentURL = "mem:///openapi.json"

// Contract is an OpenAPI document that exchanges are compared with. It is safe for concurrent use.
type Contract struct {
	tb       testing.TB
	router   *web.Router
	document document
	compiler *jsonschema.Compiler

	mu   sync.Mutex // guards compiler and seen
	seen map[string]bool
}

// New reads the document and compares its operations with the router's routes:
// each must be in the other, /openapi.json and /docs apart.
func New(tb testing.TB, spec []byte, router *web.Router) *Contract {
	tb.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(spec))
	if err != nil {
		tb.Fatalf("read OpenAPI document: %v", err)
	}
	c := &Contract{tb: tb, router: router, compiler: jsonschema.NewCompiler(), seen: map[string]bool{}}
	if err := json.Unmarshal(spec, &c.document); err != nil {
		tb.Fatalf("read OpenAPI document: %v", err)
	}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource(documentURL, doc); err != nil {
		tb.Fatalf("read OpenAPI document: %v", err)
	}
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
	for path, item := range c.document.Paths {
		for method := range item {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(all)
	return all
}
