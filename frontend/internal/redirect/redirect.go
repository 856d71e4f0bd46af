// Package redirect says where on this site a person may be sent.
package redirect

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

const (
	// maxLength is the longest target, in bytes: an application's authorization
	// request with a state of a few hundred bytes is one.
	maxLength = 4000
	// maxDecodes is how often a path may be percent-encoded over and over.
	maxDecodes = 4
)

// Safe is raw if it is a path of this site where a person can be sent, else "/".
// Of a fragment it keeps the name of a product's card, and no other. It prevents
// open redirects. It checks
//   - that raw is short and of printable ASCII without a backslash, which
//     browsers read as a slash
//   - that it parses and has no scheme, host, user or opaque part
//   - that its path, decoded as often as it can be, which is four times at most,
//     starts with one slash, is in its shortest form and holds no backslash and no
//     control character
//   - that it does not lead to the forms themselves
func Safe(raw string) string {
	if len(raw) > maxLength || !printable(raw) {
		return "/"
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || !clean(u.EscapedPath()) {
		return "/"
	}
	switch u.Path {
	case "/login", "/register", "/logout", "/forgot", "/reset", "/confirm":
		return "/"
	}
	next := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	if id, ok := strings.CutPrefix(u.Fragment, "piece-"); ok && id != "" && strings.Trim(id, "0123456789") == "" {
		next.Fragment = u.Fragment
	}
	return next.String()
}

// clean reports whether p is a plain absolute path each time it is decoded, until
// there is nothing left to decode.
func clean(p string) bool {
	for range maxDecodes + 1 {
		trimmed := strings.TrimSuffix(p, "/")
		if !strings.HasPrefix(p, "/") || (p != "/" && path.Clean(p) != trimmed) || !printable(p) {
			return false
		}
		decoded, err := url.PathUnescape(p)
		if err != nil {
			return false
		}
		if decoded == p {
			return true
		}
		p = decoded
	}
	return false
}

// printable reports whether text is printable ASCII without a backslash.
func printable(text string) bool {
	return strings.IndexFunc(text, func(c rune) bool { return c <= ' ' || c > '~' || c == '\\' }) < 0
}

// Referrer is the page of this site that the person was on, by HX-Current-URL or
// else by Referer. It is otherwise where the browser names none or another site.
func Referrer(r *http.Request, otherwise string) string {
	raw := r.Header.Get("HX-Current-URL")
	if raw == "" {
		raw = r.Header.Get("Referer")
	}
	u, err := url.Parse(raw)
	if raw == "" || err != nil || u.Host != r.Host {
		return otherwise
	}
	return Safe(u.RequestURI())
}
