package openapitest

import "github.com/getkin/kin-openapi/openapi3"

// AssertComplete reports what the document leaves open to a program that reads it alone. Beyond what makes a document
// valid, it checks:
//   - that it says where the service is
//   - that each operation has an operationId, and says whether it needs credentials
//   - that each operation has the errors which its router, its credentials and its body can end in, with a body
//   - that a problem of 401 has its challenge, and one of 429 and 503 a Retry-After
func (c *Contract) AssertComplete() {
	c.tb.Helper()
	if len(c.document.Servers) == 0 {
		c.tb.Errorf("the document has no servers")
	}
	for path, item := range c.document.Paths.Map() {
		for method, o := range item.Operations() {
			where := method + " " + path
			if o.OperationID == "" {
				c.tb.Errorf("%s has no operationId", where)
			}
			if o.Security == nil {
				c.tb.Errorf("%s does not say whether it needs credentials", where)
			}
			c.assertErrors(where, o)
		}
	}
}

func (c *Contract) assertErrors(where string, o *openapi3.Operation) {
	needed := []string{"500"}
	if o.Security != nil && len(*o.Security) == 1 { // more alternatives make them optional
		needed = append(needed, "401")
	}
	if o.RequestBody != nil {
		needed = append(needed, "400", "413", "415")
	}
	for _, status := range needed {
		if o.Responses.Value(status) == nil {
			c.tb.Errorf("%s does not have %s", where, status)
		}
	}
	header := map[string]string{"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}
	for status, ref := range o.Responses.Map() {
		if status >= "400" && len(ref.Value.Content) == 0 {
			c.tb.Errorf("%s has %s without a body", where, status)
		}
		problem, needs := ref.Value.Content["application/problem+json"] != nil, header[status]
		if problem && needs != "" && ref.Value.Headers[needs] == nil {
			c.tb.Errorf("%s has %s without %s", where, status, needs)
		}
	}
}
