package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"craftista/auth/internal/issuer"
	"craftista/auth/internal/secrets"
	"craftista/auth/internal/session"
	"craftista/shared/fault"
)

// Provider answers OAuth clients. It is safe for concurrent use.
type Provider struct {
	clients  Clients
	sessions *session.Manager
	issuer   *issuer.Issuer
	now      func() time.Time
}

// NewProvider returns a provider for those clients, whose tokens are the
// issuer's.
func NewProvider(
	clients Clients, sessions *session.Manager, issuer *issuer.Issuer, now func() time.Time,
) *Provider {
	return &Provider{clients: clients, sessions: sessions, issuer: issuer, now: now}
}

// Tokens are what the token endpoint gives (RFC 6749 section 5.1, OpenID Connect
// Core 1.0 section 3.1.3.3).
type Tokens struct {
	Access    string `json:"access_token"`
	Type      string `json:"token_type"`
	ExpiresIn int64  `json:"expires_in"`              // s
	Refresh   string `json:"refresh_token,omitempty"` // "" for a client that acts for itself
	ID        string `json:"id_token,omitempty"`      // "" without the scope openid
	Scope     string `json:"scope"`
}

// Authenticate returns the client with that id, whose secret it checks in
// constant time (RFC 6749 section 2.3). A public client has none, and one that is
// not public must have the right one. Whatever is wrong, the answer is one
// invalid_client.
func (p *Provider) Authenticate(ctx context.Context, id, secret string) (Client, error) {
	wrong := refuse("invalid_client", "the client is not known, or its secret is wrong")
	if check(url.Values{"": {id}}) != nil {
		return Client{}, wrong
	}
	c, err := p.clients.Client(ctx, id)
	public := err == nil && c.SecretHash == nil && secret == ""
	switch kind := fault.KindOf(err); {
	case kind != fault.None && kind != fault.NotFound:
		return Client{}, err
	case !public && subtle.ConstantTimeCompare(secrets.Digest(secret), c.SecretHash) != 1: // a public client has no hash
		return Client{}, wrong
	}
	return c, nil
}

// KnownOrigin reports whether a client comes back to that web origin (RFC 6454), so
// that scripts there may call the provider. A client on this machine that has no secret
// comes back to any port (RFC 8252 section 7.3).
func (p *Provider) KnownOrigin(ctx context.Context, origin string) (bool, error) {
	return p.clients.KnownOrigin(ctx, origin, anyPort(origin))
}

// Exchange answers a token request of the client, who has been authenticated.
// Each parameter comes at most once (RFC 6749 section 3.2). A refusal is *Error.
func (p *Provider) Exchange(ctx context.Context, c Client, q url.Values) (Tokens, error) {
	if err := check(q); err != nil {
		return Tokens{}, err
	}
	self := len(c.RedirectURIs) == 0
	switch grant := q.Get("grant_type"); {
	case grant == "":
		return Tokens{}, refuse("invalid_request", "grant_type is needed")
	case grant == "authorization_code" && !self:
		return p.exchangeCode(ctx, c, q)
	case grant == "refresh_token" && !self:
		return p.refresh(ctx, c, q)
	case grant == "client_credentials" && self:
		return p.credentials(c, q)
	case slices.Contains(Grants(), grant):
		return Tokens{}, refuse("unauthorized_client", "the client is not registered for this grant_type")
	default:
		return Tokens{}, refuse("unsupported_grant_type",
			"grant_type must be authorization_code, refresh_token or client_credentials")
	}
}

// Grants are all grant types there are.
func Grants() []string { return []string{"authorization_code", "refresh_token", "client_credentials"} }

// exchangeCode checks, besides what Manager.ExchangeCode does, that the code was
// given:
//   - to this client (RFC 6749 section 4.1.3)
//   - for this redirect_uri, character for character (section 4.1.3)
//   - to whoever has the verifier, in constant time (RFC 7636 section 4.6)
func (p *Provider) exchangeCode(ctx context.Context, c Client, q url.Values) (Tokens, error) {
	if q.Get("code") == "" || q.Get("redirect_uri") == "" || !validVerifier(q.Get("code_verifier")) {
		return Tokens{}, refuse("invalid_request", "code, redirect_uri and code_verifier are needed")
	}
	challenge := base64.RawURLEncoding.EncodeToString(secrets.Digest(q.Get("code_verifier")))
	refresh, code, err := p.sessions.ExchangeCode(ctx, q.Get("code"), func(code session.Code) error {
		if code.ClientID != c.ID || code.RedirectURI != q.Get("redirect_uri") ||
			subtle.ConstantTimeCompare([]byte(code.Challenge), []byte(challenge)) != 1 {
			return fault.New(fault.Unauthenticated, "the code was not given to this client")
		}
		return nil
	})
	if err != nil {
		return Tokens{}, grantError(err)
	}
	now := p.now()
	access, err := p.issuer.Mint(refresh.Family, code.Scope, now)
	tokens := p.bearer(access, refresh.Token, code.Scope)
	if err == nil && slices.Contains(strings.Fields(code.Scope), "openid") {
		tokens.ID, err = p.issuer.MintIDToken(code, refresh.Family.Person, access, now)
	}
	return tokens, err
}

// validVerifier is RFC 7636 section 4.1.
func validVerifier(s string) bool {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	return len(s) >= 43 && len(s) <= 128 && strings.Trim(s, unreserved) == ""
}

// refresh checks what Manager.Rotate does, and that scope, if there is one, is
// within what the person granted (RFC 6749 section 6).
func (p *Provider) refresh(ctx context.Context, c Client, q url.Values) (Tokens, error) {
	if q.Get("refresh_token") == "" {
		return Tokens{}, refuse("invalid_request", "refresh_token is needed")
	}
	var scope string
	next, err := p.sessions.Rotate(ctx, q.Get("refresh_token"), c.ID, func(f session.Family) error {
		var within bool
		if scope, within = narrow(q.Get("scope"), f.Scope); !within {
			return refuse("invalid_scope", "the person did not grant this scope")
		}
		return nil
	})
	if err != nil {
		return Tokens{}, grantError(err)
	}
	access, err := p.issuer.Mint(next.Family, scope, p.now())
	return p.bearer(access, next.Token, scope), err
}

// credentials is RFC 6749 section 4.4. There is no person, so that no scope about
// one can be granted.
func (p *Provider) credentials(c Client, q url.Values) (Tokens, error) {
	ofPeople := []string{"openid", "profile", "email"}
	allowed := slices.DeleteFunc(slices.Clone(c.Scopes), func(s string) bool { return slices.Contains(ofPeople, s) })
	scope, within := narrow(q.Get("scope"), strings.Join(allowed, " "))
	if !within {
		return Tokens{}, refuse("invalid_scope", "the client may not ask for this scope")
	}
	access, err := p.issuer.MintClientCredentials(c.ID, scope, p.now())
	return p.bearer(access, "", scope), err
}

func (p *Provider) bearer(access, refresh, scope string) Tokens {
	lifetime := int64(p.issuer.Lifetime / time.Second)
	return Tokens{Access: access, Type: "Bearer", ExpiresIn: lifetime, Refresh: refresh, Scope: scope}
}

// grantError is invalid_grant for a refusal, whatever its reason, which is logged
// and not sent.
func grantError(err error) error {
	if fault.KindOf(err) == fault.Unauthenticated {
		return errors.Join(refuse("invalid_grant", "the code or the refresh token is not good"), err)
	}
	return err
}
