package oidc

import (
	"context"
	"net/url"
	"strconv"

	"craftista/auth/internal/session"
	"craftista/shared/fault"
	"craftista/shared/token"
)

// Introspection is what a client learns about a token (RFC 7662 section 2.2). If
// it is not active, the rest is empty.
type Introspection struct {
	Active   bool   `json:"active"`
	Scope    string `json:"scope,omitempty"`
	ClientID string `json:"client_id,omitempty"`
	Subject  string `json:"sub,omitempty"`
	Issuer   string `json:"iss,omitempty"`
	Expires  int64  `json:"exp,omitempty"`        // Unix time in seconds; 0 for a refresh token
	Type     string `json:"token_type,omitempty"` // Bearer for an access token
}

// Introspect tells the client about a token (RFC 7662). It checks:
//   - that the client is not public: anybody could claim to be it (section 2.1)
//   - that the token was given to this client; others are not active to it, so
//     that nobody learns about them (section 4)
//   - signature, issuer, kind and expiry of an access token, and that the sign-in
//     it belongs to is active
//   - that a refresh token was not used, nor its family revoked
func (p *Provider) Introspect(ctx context.Context, c Client, q url.Values) (Introspection, error) {
	if c.SecretHash == nil {
		return Introspection{}, refuse("invalid_client", "a public client cannot ask about tokens")
	}
	t, err := p.find(ctx, c, q)
	if err != nil || !t.Active {
		return Introspection{}, err
	}
	return t.Introspection, nil
}

// Revoke revokes the family that the token belongs to, be it an access token or a
// refresh token (RFC 7009 section 2.1). It checks that the token was given to this
// client; others are left alone, and so are unknown ones. The token of a client
// that acts for itself cannot be revoked.
func (p *Provider) Revoke(ctx context.Context, c Client, q url.Values) error {
	t, err := p.find(ctx, c, q)
	switch {
	case err != nil || t.ClientID == "":
		return err
	case t.familyID == 0:
		return refuse("unsupported_token_type", "this token cannot be revoked, it ends by itself")
	}
	return p.sessions.Revoke(ctx, session.Filter{UserID: t.userID, ClientID: c.ID, ID: t.familyID})
}

// found is a token of a client; the zero value is none of its.
type found struct {
	Introspection
	userID, familyID int64 // 0 for a client that acts for itself
}

// find reads the parameter token, an access or a refresh token.
func (p *Provider) find(ctx context.Context, c Client, q url.Values) (found, error) {
	if err := check(q); err != nil {
		return found{}, err
	}
	if q.Get("token") == "" {
		return found{}, refuse("invalid_request", "token is needed")
	}
	claims, err := p.issuer.ParseAccessToken(ctx, q.Get("token"))
	switch {
	case err != nil:
		return p.findRefresh(ctx, c, q.Get("token"))
	case claims.ClientID != c.ID:
		return found{}, nil
	}
	t := found{Introspection: Introspection{
		Active: true, Scope: claims.Scope, ClientID: c.ID, Subject: claims.Subject, Issuer: claims.Issuer,
		Type: "Bearer", Expires: claims.ExpiresAt.Unix(),
	}}
	if claims.Session == "" {
		return t, nil
	}
	t.userID, _ = strconv.ParseInt(claims.Subject, 10, 64) // we made it
	u := token.User{ID: t.userID, Session: claims.Session, ClientID: c.ID}
	t.familyID = session.ID(u)
	_, err = p.sessions.AuthTime(ctx, u)
	if fault.KindOf(err) == fault.Unauthenticated {
		t.Active, err = false, nil
	}
	return t, err
}

func (p *Provider) findRefresh(ctx context.Context, c Client, raw string) (found, error) {
	t, err := p.sessions.Inspect(ctx, raw, c.ID)
	f := t.Family
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return found{}, nil
	case err != nil:
		return found{}, err
	}
	return found{Introspection{
		Active: !t.FamilyRevoked && t.UsedAt.IsZero() && !f.Person.Disabled,
		Scope:  f.Scope, ClientID: c.ID, Subject: strconv.FormatInt(f.Person.ID, 10), Issuer: p.issuer.URL,
	}, f.Person.ID, f.ID}, nil
}
