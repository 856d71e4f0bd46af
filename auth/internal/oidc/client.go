// Package oidc lets other applications act for people: OAuth 2.0 (RFC 6749) with
// the code grant as RFC 9700 wants it, and OpenID Connect Core 1.0 on top.
package oidc

import (
	"context"
	"crypto/rand"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"craftista/auth/internal/secrets"
	"craftista/shared/fault"
	"craftista/shared/token"
)

// Client is a registered application.
type Client struct {
	ID           string
	Name         string   // what people see when they are asked
	SecretHash   []byte   // SHA-256; nil is a public client
	RedirectURIs []string // none: the client acts for itself only
	LogoutURIs   []string // where the browser may go after a sign-out
	Scopes       []string // what it may ask for
	Disabled     bool     // it gets nothing
}

// Clients stores clients; one that is unknown or disabled is a NotFound fault.
type Clients interface {
	Client(ctx context.Context, id string) (Client, error)
	// KnownOrigin reports whether a redirect URI of a client is of that web origin, or is
	// one of a public client on this machine that is of it but for the port; portless is
	// the origin without its port.
	KnownOrigin(ctx context.Context, origin, portless string) (bool, error)
}

// Scopes are all that a client can ask for.
func Scopes() []string {
	return []string{"openid", "profile", "email", token.ScopeReadVotes, token.ScopeVote}
}

// Registration is what a client is registered with.
type Registration struct {
	Name               string
	Redirects, Logouts []string // URIs; without redirects the client acts for itself
	Scope              string   // with spaces between
	Public             bool     // it cannot keep a secret
}

// NewClient makes a client, and its secret unless it is public, which is stored
// nowhere. Broken rules are an Invalid fault with all of them.
func NewClient(r Registration) (c Client, secret string, err error) {
	scopes := strings.Fields(r.Scope)
	var broken fault.Checks
	broken.Require(validName(r.Name), "name", "must be 1 to 100 characters that can be seen, without spaces around them")
	for _, uri := range slices.Concat(r.Redirects, r.Logouts) {
		broken.Require(ValidRedirect(uri), uri, "must be an https URL, an http one of localhost or 127.0.0.1, or one of "+
			"an app's own scheme such as com.example.app:/back; without user, fragment, parameters of ours and . or .. "+
			"in its path; its host must be of letters, digits, dots, dashes and underscores, no IPv6 address; "+
			"its port, if it has one, must be 1 to 65535")
	}
	broken.Require(len(r.Redirects) > 0 || !r.Public, "redirect", "is needed for a public client")
	broken.Require(len(scopes) > 0, "scope", "is needed")
	for _, scope := range scopes {
		broken.Require(slices.Contains(Scopes(), scope), "scope", "knows no "+scope)
	}
	if err := broken.Err(); err != nil {
		return c, "", err
	}
	c = Client{
		ID: "client-" + strings.ToLower(rand.Text()), Name: r.Name,
		RedirectURIs: r.Redirects, LogoutURIs: r.Logouts, Scopes: scopes,
	}
	if !r.Public {
		secret, c.SecretHash = NewSecret()
	}
	return c, secret, nil
}

// NewSecret makes a secret of 260 random bits, and the hash to store of it.
func NewSecret() (secret string, hash []byte) {
	secret = rand.Text() + rand.Text()
	return secret, secrets.Digest(secret)
}

func validName(name string) bool {
	length := utf8.RuneCountInString(name)
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	return utf8.ValidString(name) && length >= 1 && length <= 100 && strings.TrimSpace(name) == name &&
		!strings.ContainsFunc(name, hidden)
}

// plainHost is a host that the Content-Security-Policy of the consent page can name.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9._-]+(:[0-9]+)?$`)

// appScheme is a scheme that an app has for itself: its maker's domain in reverse.
var appScheme = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$`)

// dotSegment is a . or .. in a path (RFC 3986 section 3.3).
var dotSegment = regexp.MustCompile(`(^|/)\.\.?(/|$)`)

// ValidRedirect reports whether browsers may be sent to the URI. It checks:
//   - the length, and that all of it is visible ASCII, without the backslash that
//     browsers read as a slash
//   - that it is absolute (RFC 6749 section 3.1.2)
//   - https, or http to this machine only (RFC 8252 section 8.3), with a host that the
//     consent page can allow, or an app's own scheme (section 7.1)
//   - that there is no fragment, not even an empty one (RFC 6749 section 3.1.2)
//   - that it has no user, which hides the host from people
//   - that the port is one that a browser connects to
//   - that the path has no . and .., which browsers resolve
//   - that it has no parameter of the response (RFC 9700 section 4.2)
//   - that it is written as Go writes it, so that no two parsers differ about it
func ValidRedirect(uri string) bool {
	forbidden := func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' || r == '#' }
	if len(uri) > 1000 || strings.ContainsFunc(uri, forbidden) {
		return false
	}
	u, err := url.Parse(uri)
	if err != nil || u.User != nil || u.Opaque != "" || u.String() != uri ||
		!validPort(u) || dotSegment.MatchString(u.Path) {
		return false
	}
	query, err := url.ParseQuery(u.RawQuery)
	for _, name := range []string{"code", "state", "iss", "error", "error_description"} {
		if err != nil || query.Has(name) {
			return false
		}
	}
	switch u.Scheme {
	case "https":
		return plainHost.MatchString(u.Host)
	case "http":
		return plainHost.MatchString(u.Host) && local(u)
	default:
		return appScheme.MatchString(u.Scheme)
	}
}

func validPort(u *url.URL) bool {
	port, _ := strconv.ParseUint(u.Port(), 10, 16) // 0 where there is none
	return u.Port() == "" && !strings.HasSuffix(u.Host, ":") || port > 0 && strconv.FormatUint(port, 10) == u.Port()
}

func local(u *url.URL) bool { return u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" }

// redirects reports whether the client registered the URI, character for character,
// but for the port on this machine, which a native app gets from its system (RFC 8252
// section 7.3).
func (c Client) redirects(uri string) bool {
	same := func(registered string) bool { return anyPort(registered) == anyPort(uri) }
	return ValidRedirect(uri) && slices.ContainsFunc(c.RedirectURIs, same)
}

// anyPort is the URI, without the port if it is one of this machine.
func anyPort(uri string) string {
	if u, err := url.Parse(uri); err == nil && u.Scheme == "http" && local(u) {
		u.Host = u.Hostname()
		return u.String()
	}
	return uri
}
