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

func render(spec []byte) ([]byte, error) {
	var d document
	if err := json.Unmarshal(spec, &d); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	var out bytes.Buffer
	if err := docs(d.page()).Render(context.Background(), &out); err != nil {
		return nil, fmt.Errorf("render page: %w", err)
	}
	return out.Bytes(), nil
}
