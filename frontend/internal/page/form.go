package page

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"craftista/shared/fault"
	"craftista/shared/web"
)

// readForm reads a posted form. It checks the media type (415), the size (413),
// that each field has one of the names and comes once at most, and that the
// values are UTF-8 text without NUL, which PostgreSQL has no place for (400).
func readForm(r *http.Request, names ...string) (url.Values, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, fault.New(fault.Unsupported, "this address takes a form")
	}
	r.Body = http.MaxBytesReader(nil, r.Body, web.MaxBody)
	var tooLarge *http.MaxBytesError
	switch err := r.ParseForm(); {
	case errors.As(err, &tooLarge):
		return nil, fault.New(fault.TooLarge, "the form is over %d bytes", web.MaxBody)
	case err != nil:
		return nil, fault.New(fault.BadRequest, "the form cannot be read").Because(err)
	}
	for name, values := range r.PostForm {
		if !slices.Contains(names, name) || len(values) != 1 || !utf8.ValidString(values[0]) || strings.ContainsRune(values[0], 0) {
			return nil, fault.New(fault.BadRequest, "the form has a field that does not belong there")
		}
	}
	return r.PostForm, nil
}
