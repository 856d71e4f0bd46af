package origami

import (
	"net/http"
	"net/url"

	"craftista/shared/fault"
)

// param is the named value of the query, "" if there is none. A query that
// cannot be read is Malformed, where URL.Query would drop what it cannot read.
func param(r *http.Request, name string) (string, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", fault.New(fault.Malformed, "the query of the URL is not well formed").Because(err)
	}
	return values.Get(name), nil
}
