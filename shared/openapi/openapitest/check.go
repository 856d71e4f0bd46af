package openapitest

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is what a contract reads of an OpenAPI document.
type document struct {
	Paths      map[string]map[string]operation `json:"paths"` // by path and method
	Components struct {
		Responses map[string]response `json:"responses"`
	} `json:"components"`
}

type operation struct {
	Responses map[string]response `json:"responses"` // by status
}

type response struct {
	Ref     string         `json:"$ref"`
	Content map[string]any `json:"content"` // by media type
}

// check compares one exchange with the document: the status is documented, the media type is one of that status's,
// and a JSON body has the documented shape. What the router itself answers with 404 and 405 is not documented.
func (c *Contract) check(r *http.Request, got *httptest.ResponseRecorder) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	path := c.router.Pattern(method, cmp.Or(r.URL.RawPath, r.URL.Path))
	o, ok := c.document.Paths[path][strings.ToLower(method)]
	if !ok || got.Code == http.StatusNotModified {
		return
	}
	where := fmt.Sprintf("%s %s → %d", r.Method, path, got.Code)
	documented, pointer, ok := c.response(o, path, strings.ToLower(method), strconv.Itoa(got.Code))
	if !ok {
		c.tb.Errorf("%s is not documented (body %s)", where, got.Body)
		return
	}
	if got.Code < 400 { // a redirect is what some operations are for
		c.mu.Lock()
		c.seen[method+" "+path] = true
		c.mu.Unlock()
	}
	media, _, _ := strings.Cut(got.Header().Get("Content-Type"), ";")
	if len(documented.Content) == 0 && got.Body.Len() == 0 {
		return
	}
	if _, ok := documented.Content[media]; !ok {
		c.tb.Errorf("%s has the media type %q, which is not documented", where, media)
		return
	}
	if strings.HasSuffix(media, "json") && r.Method != http.MethodHead {
		c.validate(where, pointer+"/content/"+escape(media)+"/schema", got.Body.Bytes())
	}
}

// response is the documented response, or the one that its $ref names, and the JSON pointer to it.
func (c *Contract) response(o operation, path, method, status string) (response, string, bool) {
	documented, ok := o.Responses[status]
	if name, isRef := strings.CutPrefix(documented.Ref, "#/components/responses/"); isRef {
		shared, ok := c.document.Components.Responses[name]
		return shared, "/components/responses/" + name, ok
	}
	return documented, "/paths/" + escape(path) + "/" + method + "/responses/" + status, ok
}

func (c *Contract) validate(where, pointer string, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	schema, err := c.compiler.Compile(documentURL + "#" + pointer)
	if err != nil {
		c.tb.Errorf("%s: compile schema: %v", where, err)
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		c.tb.Errorf("%s is not JSON: %v", where, err)
		return
	}
	if err := schema.Validate(value); err != nil {
		c.tb.Errorf("%s breaks the document: %v\nbody %s", where, err, body)
	}
}

// escape makes a key one step of a JSON pointer in a URL.
func escape(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(key)
}
