package openapitest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// check holds one exchange to the document: the status is documented, the media
// type is one of that status's, and a JSON body has the documented shape.
func (c *Contract) check(r *http.Request, got *httptest.ResponseRecorder) {
	path, ok := c.template(r.URL.Path)
	method := strings.ToLower(r.Method)
	if method == "head" {
		method = "get"
	}
	operation, documented := c.lookup("paths", path, method)
	if !ok || !documented || got.Code == http.StatusNotModified {
		return // 404 and 405 of the router itself, and bodies that are not sent
	}
	where := fmt.Sprintf("%s %s → %d", r.Method, path, got.Code)
	response, pointer := c.response(operation, []string{"paths", path, method, "responses", strconv.Itoa(got.Code)})
	if response == nil {
		c.tb.Errorf("%s is not documented (body %s)", where, got.Body)
		return
	}
	if got.Code < 400 { // a redirect is what some operations are for
		c.mu.Lock()
		c.seen[strings.ToUpper(method)+" "+path] = true
		c.mu.Unlock()
	}
	content, _ := response["content"].(map[string]any)
	media, _, _ := strings.Cut(got.Header().Get("Content-Type"), ";")
	if len(content) == 0 && got.Body.Len() == 0 {
		return
	}
	if _, ok := content[media]; !ok {
		c.tb.Errorf("%s has the media type %q, which is not documented", where, media)
		return
	}
	if strings.HasSuffix(media, "json") && r.Method != http.MethodHead {
		c.validate(where, append(pointer, "content", media, "schema"), got.Body.Bytes())
	}
}

func (c *Contract) validate(where string, pointer []string, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	schema, err := c.compiler.Compile(documentURL + "#" + jsonPointer(pointer))
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

// template is the documented path that a request's path matches; one without
// parameters wins.
func (c *Contract) template(path string) (string, bool) {
	paths, _ := c.document["paths"].(map[string]any)
	if _, ok := paths[path]; ok {
		return path, true
	}
	for candidate := range paths {
		if fits(strings.Split(candidate, "/"), strings.Split(path, "/")) {
			return candidate, true
		}
	}
	return "", false
}

func fits(pattern, path []string) bool {
	if len(pattern) != len(path) {
		return false
	}
	for i := range pattern {
		if pattern[i] != path[i] && !strings.HasPrefix(pattern[i], "{") {
			return false
		}
	}
	return true
}

// lookup walks the document down the keys.
func (c *Contract) lookup(keys ...string) (map[string]any, bool) {
	node := c.document
	for _, key := range keys {
		next, ok := node[key].(map[string]any)
		if !ok {
			return nil, false
		}
		node = next
	}
	return node, true
}

// response is the response at pointer, or where its $ref leads, and the place
// it was found at.
func (c *Contract) response(operation map[string]any, pointer []string) (map[string]any, []string) {
	responses, _ := operation["responses"].(map[string]any)
	response, _ := responses[pointer[len(pointer)-1]].(map[string]any)
	if ref, ok := response["$ref"].(string); ok {
		pointer = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		response, _ = c.lookup(pointer...)
	}
	return response, pointer
}

func jsonPointer(keys []string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	var b strings.Builder
	for _, key := range keys {
		b.WriteString("/" + escape.Replace(key))
	}
	return b.String()
}
