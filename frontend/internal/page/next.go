package page

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// maxNext is the longest place that is remembered, in bytes: an application's
// request with a state of a few hundred bytes is one, see leadToSignIn.
const maxNext = 4000

// safeNext is raw if it is a path of this site where a person can be sent, else
// "/". Of a fragment it keeps the name of a piece, and no other. It is the guard against open redirects. It checks
//   - that raw is short and of printable ASCII without a backslash, which
//     browsers read as a slash
//   - that it parses and has no scheme, host, user or opaque part
//   - that its path, decoded as often as it can be, which is four times at most,
//     starts with one slash, is in its shortest form and holds no backslash and no
//     control character
//   - that it does not lead to the forms themselves
func safeNext(raw string) string {
	if len(raw) > maxNext || !plain(raw) {
		return "/"
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	if !straight(u.EscapedPath()) {
		return "/"
	}
	switch u.Path {
	case "/login", "/register", "/logout":
		return "/"
	}
	next := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	if id, ok := strings.CutPrefix(u.Fragment, "piece-"); ok && isDigits(id) {
		next.Fragment = u.Fragment
	}
	return next.String()
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// maxDecodes is how often a path may be encoded over; each time costs another
// look at the whole of it.
const maxDecodes = 4

// straight reports whether p, decoded as often as it can be, is a plain
// absolute path at every step. One that can be decoded more often than
// maxDecodes is not.
func straight(p string) bool {
	for range maxDecodes + 1 {
		trimmed := strings.TrimSuffix(p, "/")
		if !strings.HasPrefix(p, "/") || (p != "/" && path.Clean(p) != trimmed) || !plain(p) {
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

// plain reports whether text is printable ASCII without a backslash.
func plain(text string) bool {
	return strings.IndexFunc(text, func(c rune) bool { return c <= ' ' || c > '~' || c == '\\' }) < 0
}

// whence is the page of this site that the person was on, as the browser tells
// it (HX-Current-URL, else Referer), or otherwise where it does not.
func whence(r *http.Request, otherwise string) string {
	raw := r.Header.Get("HX-Current-URL")
	if raw == "" {
		raw = r.Header.Get("Referer")
	}
	u, err := url.Parse(raw)
	if raw == "" || err != nil || u.Host != r.Host {
		return otherwise
	}
	return safeNext(u.RequestURI())
}
