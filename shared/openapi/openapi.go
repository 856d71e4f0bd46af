// Package openapi publishes a service's OpenAPI 3.1 document: as it is for
// programs, and as one readable page without script for people.
package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"craftista/shared/web"
)

// maxAge is how long both may be cached; a new version changes their ETag.
const maxAge = "public, max-age=300"

// Routes adds GET /openapi.json and GET /docs for the document. It panics if
// spec, which is compiled in, is no OpenAPI document.
func Routes(r *web.Router, spec []byte) {
	docs, err := render(spec)
	if err != nil {
		panic(err)
	}
	r.Get("/openapi.json", func(w http.ResponseWriter, req *http.Request) error {
		web.ReplyBytes(w, req, maxAge, "application/json", spec)
		return nil
	})
	r.Get("/docs", func(w http.ResponseWriter, req *http.Request) error {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		web.ReplyBytes(w, req, maxAge, "text/html; charset=utf-8", docs)
		return nil
	})
}

// document is what the page shows of an OpenAPI document.
type document struct {
	Info  struct{ Title, Description, Version string }
	Paths map[string]map[string]operation // by path and method
}

type operation struct {
	Summary, Description string
	Security             []map[string][]string
	Parameters           []parameter
	RequestBody          json.RawMessage
	Responses            map[string]struct{ Description string } // by status
}

type parameter struct {
	Name, In, Description string
	Required              bool
}

func render(spec []byte) ([]byte, error) {
	var d document
	if err := json.Unmarshal(spec, &d); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	var out bytes.Buffer
	if err := docs(d).Render(context.Background(), &out); err != nil {
		return nil, fmt.Errorf("render page: %w", err)
	}
	return out.Bytes(), nil
}

// needsCredentials reports whether the operation cannot be called without; an empty alternative makes them optional.
func (o operation) needsCredentials() bool {
	for _, alternative := range o.Security {
		if len(alternative) == 0 {
			return false
		}
	}
	return len(o.Security) > 0
}

func indent(value json.RawMessage) string {
	var out bytes.Buffer
	_ = json.Indent(&out, value, "", "  ") // it was read as JSON
	return out.String()
}
