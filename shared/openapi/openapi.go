// Package openapi publishes a service's OpenAPI 3.1 document: as it is for
// programs, and as one readable page without script for people.
package openapi

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"

	"craftista/shared/web"
)

//go:embed docs.html
var page string

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

func render(spec []byte) ([]byte, error) {
	var document map[string]any
	if err := json.Unmarshal(spec, &document); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	functions := template.FuncMap{"indent": indent, "needsCredentials": needsCredentials}
	t, err := template.New("docs").Funcs(functions).Parse(page)
	if err != nil {
		return nil, fmt.Errorf("read page template: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, document); err != nil {
		return nil, fmt.Errorf("render page: %w", err)
	}
	return out.Bytes(), nil
}

// needsCredentials reports whether an operation with that security cannot be
// called without; an empty alternative makes them optional.
func needsCredentials(security any) bool {
	alternatives, _ := security.([]any)
	for _, alternative := range alternatives {
		if schemes, _ := alternative.(map[string]any); len(schemes) == 0 {
			return false
		}
	}
	return len(alternatives) > 0
}

func indent(value any) (string, error) {
	text, err := json.MarshalIndent(value, "", "  ")
	return string(text), err
}
