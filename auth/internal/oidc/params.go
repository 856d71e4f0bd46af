package oidc

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Error is a refusal by an error code of OAuth (RFC 6749 sections 4.1.2.1 and 5.2),
// meant for the client.
type Error struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
	RedirectTo  string `json:"-"` // where the browser takes it; "" for an answer to the client itself
}

// Error is the text for the log.
func (e *Error) Error() string { return e.Code + ": " + e.Description }

func refuse(code, description string) *Error { return &Error{Code: code, Description: description} }

// check checks what every endpoint demands of its parameters:
//   - none is there twice (RFC 6749 sections 3.1 and 3.2)
//   - each is UTF-8 without NUL, and none is over 2,000 bytes
func check(p url.Values) *Error {
	for name, values := range p {
		for _, value := range append(values, name) {
			if len(value) > 2000 || !utf8.ValidString(value) || strings.Contains(value, "\x00") {
				return refuse("invalid_request", "a parameter is too long or no text")
			}
		}
		if len(values) > 1 {
			return refuse("invalid_request", "a parameter comes twice")
		}
	}
	return nil
}

// scopesOf reads a scope parameter: every word once, in the order of Scopes. It
// reports false if one of them is not among allowed.
func scopesOf(text string, allowed []string) (string, bool) {
	asked := strings.Split(text, " ")
	scopes := slices.DeleteFunc(Scopes(), func(s string) bool { return !slices.Contains(asked, s) })
	for _, scope := range asked {
		if !slices.Contains(scopes, scope) || !slices.Contains(allowed, scope) {
			return "", false
		}
	}
	return strings.Join(scopes, " "), true
}

// narrow is the scope that is asked for within what is allowed, all of it if none is.
func narrow(asked, allowed string) (string, bool) {
	if asked == "" {
		return allowed, true
	}
	return scopesOf(asked, strings.Fields(allowed))
}

// withQuery adds parameters to a URL without fragment.
func withQuery(to string, more url.Values) string {
	separator := "?"
	if strings.Contains(to, "?") {
		separator = "&"
	}
	return to + separator + more.Encode()
}
