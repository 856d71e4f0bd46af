// Package form reads what browsers post. What does not come from one of the
// site's own forms is refused, before a handler sees it.
package form

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

// Read reads a posted form. It checks the media type (415), the size (413), that
// each field has one of the names and comes once at most, and that the values are
// UTF-8 text without NUL, for which PostgreSQL has no place (400).
func Read(r *http.Request, names ...string) (url.Values, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, notAForm()
	}
	r.Body = http.MaxBytesReader(nil, r.Body, web.MaxBody)
	if err := r.ParseForm(); err != nil {
		return nil, unreadable(err)
	}
	for name, values := range r.PostForm {
		if !slices.Contains(names, name) || len(values) != 1 {
			return nil, unexpected()
		}
		if !utf8.ValidString(values[0]) || strings.ContainsRune(values[0], 0) {
			return nil, unexpected()
		}
	}
	return r.PostForm, nil
}

func notAForm() *fault.Error { return fault.New(fault.Unsupported, "this address takes a form") }

func unexpected() error {
	return fault.New(fault.BadRequest, "the form has a field that does not belong there")
}

// unreadable says why the rest of a form did not come.
func unreadable(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fault.New(fault.TooLarge, "the form is over %d bytes", tooLarge.Limit)
	}
	return fault.New(fault.BadRequest, "the form cannot be read") // err may repeat a part of it
}
