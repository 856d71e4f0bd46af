// Package token verifies access tokens (RFC 9068) against the keys that auth publishes, and gives handlers the person
// who is asking.
package token

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"craftista/shared/fault"
	"craftista/shared/web"

	"github.com/golang-jwt/jwt/v5"
)

// The roles, from least to most.
const (
	RoleUser    = "user"    // votes
	RoleCurator = "curator" // may also edit the catalogue
	RoleAdmin   = "admin"   // everything
)

// The scopes of what an OAuth client may do for a person.
const (
	ScopeReadVotes = "votes:read"
	ScopeVote      = "votes:write"
)

// What an access token is.
const (
	Algorithm = "RS256"  // what auth signs tokens with, and all that is accepted (RFC 7518 section 3.3)
	Type      = "at+jwt" // the typ header of an access token (RFC 9068 section 2.1)

	maxLength = 8 << 10         // of a token that is parsed, in bytes
	leeway    = 2 * time.Second // how far this machine's clock may be from auth's
)

// Claims are what an access token says: sub is the user id, and besides the registered claims the name and role of the
// person, and which sign-in it is. One for an OAuth client says which, and what that may do. One for a client alone has
// no person, and sub is the client.
type Claims struct {
	jwt.RegisteredClaims
	Username string `json:"preferred_username,omitempty"`
	Role     string `json:"role,omitempty"`
	Session  string `json:"sid,omitempty"`
	ClientID string `json:"client_id,omitempty"`
	Scope    string `json:"scope,omitempty"`
}

// User is a signed-in person. The zero value is nobody.
type User struct {
	ID      int64
	Name    string
	Role    string    // one of the Role constants
	Session string    // the sign-in that the token came of, opaque to all but auth; "" if it does not say
	Expires time.Time // when the token stops being good

	ClientID string // the OAuth client that acts for the person; "" is the site itself
	Scope    string // what that client may do (RFC 6749 section 3.3)
}

// Granted reports whether the token is good for the scope: one of a client that has it, or one of the site itself,
// which may do all that the person may.
func (u User) Granted(scope string) bool {
	return u.ClientID == "" || slices.Contains(strings.Fields(u.Scope), scope)
}

// Keys finds the key that a token names; keyfunc.Keyfunc and *RemoteKeys are such. An Unavailable fault says that the
// keys cannot be fetched.
type Keys interface {
	KeyfuncCtx(ctx context.Context) jwt.Keyfunc
}

// Source is what a Verifier trusts; *RemoteKeys is one.
type Source interface {
	Keys
	// Revoked reports whether the sign-in has ended before its tokens expire.
	Revoked(ctx context.Context, session string) (bool, error)
}

// Verifier checks access tokens. It is safe for concurrent use.
type Verifier struct {
	source   Source
	parser   Parser
	verified verified
}

// NewVerifier returns a verifier of tokens by issuer for audience.
func NewVerifier(source Source, issuer, audience string) *Verifier {
	options := append(Options(issuer), jwt.WithAudience(audience))
	return &Verifier{source: source, parser: Parser{Keys: source, Type: Type, Options: options}}
}

// Options make a Parser accept only tokens by issuer that have an expiry, have not expired and were not issued in the
// future.
func Options(issuer string) []jwt.ParserOption {
	return []jwt.ParserOption{
		jwt.WithIssuer(issuer), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway),
	}
}

// Parser reads JWTs of one type. It is safe for concurrent use.
type Parser struct {
	Keys    Keys
	Type    string             // the typ header, without application/
	Options []jwt.ParserOption // further checks
}

// Parse reads the claims of a JWT. It checks, after RFC 8725:
//   - the length, before anything is parsed
//   - the encoding, strictly: of all texts that decode to the token only one is accepted
//   - typ, so that no other JWT of the issuer passes
//   - that alg is Algorithm, whatever the header asks for (section 3.1)
//   - that kid is present and names a published key, and the signature by it
//   - what the options demand
//
// Errors are those of Verify.
func (p Parser) Parse(ctx context.Context, raw string, claims jwt.Claims) error {
	if len(raw) > maxLength {
		return invalid("the token is too long")
	}
	if strings.ContainsAny(raw, "\r\n") { // Go's base64 ignores them even when strict
		return invalid("the token is not valid")
	}
	algorithm := jwt.WithValidMethods([]string{Algorithm})
	parser := jwt.NewParser(slices.Concat(p.Options, []jwt.ParserOption{algorithm, jwt.WithStrictDecoding()})...)
	_, err := parser.ParseWithClaims(raw, claims, func(t *jwt.Token) (any, error) {
		given, _ := t.Header["typ"].(string)
		kid, _ := t.Header["kid"].(string)
		if kid == "" || !strings.EqualFold(strings.TrimPrefix(given, "application/"), p.Type) {
			return nil, invalid("the token is of another kind")
		}
		key, err := p.Keys.KeyfuncCtx(ctx)(t)
		if err != nil && fault.KindOf(err) != fault.Unavailable {
			err = invalid("the key is not known") // err repeats kid
		}
		return key, err
	})
	if errors.Is(err, jwt.ErrTokenMalformed) {
		err = jwt.ErrTokenMalformed // err may repeat claims
	}
	if err != nil && fault.KindOf(err) != fault.Unavailable {
		return invalid("the token is not valid").Because(err)
	}
	return err
}

// Verify returns the person that the token speaks for. Besides what Parse does, it checks, after RFC 9068 section 4:
//   - that typ is at+jwt
//   - that iss is the issuer and aud contains the audience
//   - that exp is present and not past, that iat and nbf are not to come
//   - that sub is a positive integer and role a known one
//   - that scope comes only with client_id: no client's token is the site's own
//   - that the sign-in which sid names is not revoked
//
// Errors are faults: Unauthenticated with the code invalid_token, or Unavailable when the source cannot be had.
func (v *Verifier) Verify(ctx context.Context, raw string) (User, error) {
	user, err := v.read(ctx, raw)
	if err != nil {
		return User{}, err
	}
	switch revoked, err := v.source.Revoked(ctx, user.Session); {
	case err != nil:
		return User{}, err
	case revoked:
		return User{}, invalid("this session has ended")
	}
	return user, nil
}

// user is the person that the claims name.
func (c Claims) user() (User, error) {
	id, err := strconv.ParseInt(c.Subject, 10, 64)
	if err != nil || id < 1 || !slices.Contains([]string{RoleUser, RoleCurator, RoleAdmin}, c.Role) {
		return User{}, invalid("the token names nobody")
	}
	if c.Scope != "" && c.ClientID == "" {
		return User{}, invalid("the token names no client")
	}
	return User{
		ID: id, Name: c.Username, Role: c.Role, Session: c.Session, Expires: c.ExpiresAt.Time,
		ClientID: c.ClientID, Scope: c.Scope,
	}, nil
}

func invalid(message string) *fault.Error {
	return &fault.Error{Kind: fault.Unauthenticated, Message: message, Code: "invalid_token"}
}

type userKey struct{}

// UserFrom is the person that Require or Optional found, the zero User for nobody.
func UserFrom(ctx context.Context) User {
	u, _ := ctx.Value(userKey{}).(User)
	return u
}

// Require lets only requests with a good bearer token of the site itself reach next. One of an OAuth client is
// Forbidden: what names no scope is not for it.
func Require(v *Verifier, next web.Handler) web.Handler { return RequireScope(v, next, "") }

// RequireScope is Require for OAuth clients too, if they were granted the scope (RFC 6750 section 3.1); others are
// Forbidden.
func RequireScope(v *Verifier, next web.Handler, scope string) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Header.Get("Authorization") == "" {
			return fault.New(fault.Unauthenticated, "this needs a bearer token") // no code: RFC 6750 section 3.1
		}
		return bearer(v, next, scope)(w, r)
	}
}

// RequireRole is Require for people with one of the roles; anybody else signed in is Forbidden. The role is the one of
// when the token was minted.
func RequireRole(v *Verifier, next web.Handler, roles ...string) web.Handler {
	return Require(v, func(w http.ResponseWriter, r *http.Request) error {
		if !slices.Contains(roles, UserFrom(r.Context()).Role) {
			return fault.New(fault.Forbidden, "this needs the role %s", strings.Join(roles, " or "))
		}
		return next(w, r)
	})
}

// Optional runs next with the person when the request carries a bearer token, and without when it carries none. A bad
// token, or one of an OAuth client, is refused all the same: the caller expects to be signed in.
func Optional(v *Verifier, next web.Handler) web.Handler { return bearer(v, next, "") }

func bearer(v *Verifier, next web.Handler, scope string) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Add("Vary", "Authorization")
		header := r.Header.Get("Authorization")
		if header == "" {
			return next(w, r)
		}
		scheme, raw, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return fault.New(fault.Unauthenticated, "only bearer tokens are known here")
		}
		user, err := v.Verify(r.Context(), strings.TrimSpace(raw))
		if err != nil {
			return err
		}
		if !user.Granted(scope) {
			message, challenge := "this is not for applications", `Bearer error="insufficient_scope"`
			if scope != "" {
				message, challenge = "this needs the scope "+scope, challenge+`, scope="`+scope+`"`
			}
			w.Header().Set("WWW-Authenticate", challenge) // RFC 6750 section 3.1
			return fault.New(fault.Forbidden, "%s", message)
		}
		return next(w, r.WithContext(context.WithValue(r.Context(), userKey{}, user)))
	}
}
