package oidc

import (
	"context"
	"net/url"
	"strconv"

	"craftista/auth/internal/session"
	"craftista/shared/fault"
	"craftista/shared/token"
)

// CheckActive is nil while the sign-in that the person's access token belongs to
// is active, else an Unauthenticated fault. The other services do not ask: they
// accept a token until it expires.
func (p *Provider) CheckActive(ctx context.Context, u token.User) error {
	_, err := p.sessions.AuthTime(ctx, u)
	return err
}

// Introspection is what a client learns about a token. If it is not active, the
// rest is empty.
type Introspection struct {
	Active   bool
	Scope    string
	ClientID string
	Subject  string
	Issuer   string
	Expires  int64  // Unix time in seconds; 0 for a refresh token
	Type     string // Bearer for an access token
}

// Introspect tells the client about a token (RFC 7662). It checks:
//   - that the client is not public: anybody could claim to be it (section 2.1)
//   - that the token was given to this client; others are not active to it, so
//     that nobody learns about them (section 4)
//   - signature, issuer, kind and expiry of an access token, and that the sign-in
//     it belongs to is active
//   - that a refresh token was not used, nor its family revoked
func (p *Provider) Introspect(ctx context.Context, c Client, q url.Values) (Introspection, error) {
	switch err := check(q); {
	case err != nil:
		return Introspection{}, err
	case c.SecretHash == nil:
		return Introspection{}, refuse("invalid_client", "a public client cannot ask about tokens")
	case q.Get("token") == "":
		return Introspection{}, refuse("invalid_request", "token is needed")
	}
	claims, err := p.issuer.ParseAccessToken(ctx, q.Get("token"))
	if err != nil {
		return p.introspectRefresh(ctx, c, q.Get("token"))
	}
	if claims.ClientID != c.ID {
		return Introspection{}, nil
	}
	if claims.Session != "" {
		switch err := p.CheckActive(ctx, userOf(claims)); fault.KindOf(err) {
		case fault.None:
		case fault.Unauthenticated:
			return Introspection{}, nil
		default:
			return Introspection{}, err
		}
	}
	return Introspection{
		Active: true, Scope: claims.Scope, ClientID: c.ID, Subject: claims.Subject, Issuer: claims.Issuer,
		Type: "Bearer", Expires: claims.ExpiresAt.Unix(),
	}, nil
}

// userOf is the person of an access token, and nobody, 0, if it has none.
func userOf(c token.Claims) token.User {
	id, err := strconv.ParseInt(c.Subject, 10, 64)
	if err != nil {
		id = 0
	}
	return token.User{ID: id, Session: c.Session, ClientID: c.ClientID}
}

func (p *Provider) introspectRefresh(ctx context.Context, c Client, raw string) (Introspection, error) {
	t, err := p.sessions.Inspect(ctx, raw, c.ID)
	f := t.Family
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return Introspection{}, nil
	case err != nil:
		return Introspection{}, err
	case t.FamilyRevoked, !t.UsedAt.IsZero(), f.Person.Disabled:
		return Introspection{}, nil
	}
	subject := strconv.FormatInt(f.Person.ID, 10)
	return Introspection{Active: true, Scope: f.Scope, ClientID: c.ID, Subject: subject, Issuer: p.issuer.URL}, nil
}

// Revoke revokes the family that the token belongs to, be it an access token or a
// refresh token (RFC 7009 section 2.1). It checks that the token was given to this
// client; others are left alone, and so are unknown ones. The token of a client
// that acts for itself cannot be revoked.
func (p *Provider) Revoke(ctx context.Context, c Client, q url.Values) error {
	if err := check(q); err != nil {
		return err
	}
	raw := q.Get("token")
	if raw == "" {
		return refuse("invalid_request", "token is needed")
	}
	claims, err := p.issuer.ParseAccessToken(ctx, raw)
	switch {
	case err == nil && claims.ClientID != c.ID:
		return nil
	case err == nil && claims.Session == "":
		return refuse("unsupported_token_type", "this token cannot be revoked, it ends by itself")
	case err == nil:
		u := userOf(claims)
		return p.sessions.RevokeForClient(ctx, u.ID, c.ID, session.ID(u))
	}
	t, err := p.sessions.Inspect(ctx, raw, c.ID)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return nil
	case err != nil:
		return err
	}
	return p.sessions.RevokeForClient(ctx, t.Family.Person.ID, c.ID, t.Family.ID)
}
