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

// document is what the page shows of an OpenAPI document.
type document struct {
	Info struct {
		Title       string `json:"title"`
		Version     string `json:"version"`
		Description string `json:"description"`
	} `json:"info"`
	Paths map[string]map[string]operation `json:"paths"`
}

type operation struct {
	Summary     string              `json:"summary"`
	Description string              `json:"description"`
	Security    []map[string]any    `json:"security"`
	Parameters  []parameter         `json:"parameters"`
	RequestBody json.RawMessage     `json:"requestBody"`
	Responses   map[string]response `json:"responses"`
}

type parameter struct {
	Name        string `json:"name"`
	In          string `json:"in"`
	Required    bool   `json:"required"`
	Description string `json:"description"`
}

type response struct {
	Ref         string `json:"$ref"`
	Description string `json:"description"`
}

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
	var d document
	if err := json.Unmarshal(spec, &d); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	t, err := template.New("docs").Funcs(template.FuncMap{"indent": indent}).Parse(page)
	if err != nil {
		return nil, fmt.Errorf("read page template: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, d); err != nil {
		return nil, fmt.Errorf("render page: %w", err)
	}
	return out.Bytes(), nil
}

// NeedsCredentials reports whether the operation cannot be called without; an
// empty alternative among its security makes them optional.
func (o operation) NeedsCredentials() bool {
	for _, alternative := range o.Security {
		if len(alternative) == 0 {
			return false
		}
	}
	return len(o.Security) > 0
}

func indent(raw json.RawMessage) (string, error) {
	var out bytes.Buffer
	err := json.Indent(&out, raw, "", "  ")
	return out.String(), err
}
