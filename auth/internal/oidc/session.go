package oidc

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"craftista/shared/fault"
	"craftista/shared/token"
)

// Live is nil while the sign-in that a token of the person came of is live, else
// an Unauthenticated fault. The other services do without: to them a token is
// good until it ends.
func (p *Provider) Live(ctx context.Context, u token.User) error {
	id, err := strconv.ParseInt(u.Session, 10, 64)
	if err != nil {
		id = 0 // no sign-in
	}
	_, err = p.families.Began(ctx, id, u.ID, u.ClientID)
	return err
}

// Introspection is what is known of a token. Of one that is not active, that is
// nothing else.
type Introspection struct {
	Active   bool
	Scope    string
	ClientID string
	Subject  string
	Issuer   string
	Type     string    // Bearer for an access token
	Expires  time.Time // zero if it is not told
}

// Introspect tells the client about a token (RFC 7662). It checks:
//   - that the client is not public: anybody could say to be it (section 2.1)
//   - that the token was given to this client; others are not active to it, so
//     that nobody learns about them (section 4)
//   - signature, issuer, kind and end of an access token, and that the sign-in it
//     came of is live
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
	claims, err := p.issuer.Inspect(ctx, q.Get("token"))
	if err != nil {
		return p.introspectRefresh(ctx, c, q.Get("token"))
	}
	live := claims.ClientID == c.ID
	if live && claims.Session != "" {
		person, _ := strconv.ParseInt(claims.Subject, 10, 64) // 0 has no sign-in
		err := p.Live(ctx, token.User{ID: person, Session: claims.Session, ClientID: c.ID})
		if err != nil && fault.KindOf(err) != fault.Unauthenticated {
			return Introspection{}, err
		}
		live = err == nil
	}
	if !live {
		return Introspection{}, nil
	}
	return Introspection{
		Active: true, Scope: claims.Scope, ClientID: c.ID, Subject: claims.Subject, Issuer: claims.Issuer, Type: "Bearer", Expires: claims.ExpiresAt.Time,
	}, nil
}

func (p *Provider) introspectRefresh(ctx context.Context, c Client, raw string) (Introspection, error) {
	known, err := p.families.Look(ctx, raw, c.ID)
	if fault.KindOf(err) == fault.NotFound || err == nil && (known.Revoked || !known.UsedAt.IsZero() || known.Family.Person.Disabled) {
		return Introspection{}, nil
	}
	if err != nil {
		return Introspection{}, err
	}
	f := known.Family
	return Introspection{Active: true, Scope: f.Scope, ClientID: c.ID, Subject: strconv.FormatInt(f.Person.ID, 10), Issuer: p.issuer.URL}, nil
}

// Revoke ends all that came of the sign-in that the token came of, be it an
// access token or a refresh token (RFC 7009 section 2.1). It checks that the token
// was given to this client; others are left alone, and so is one that is not
// known. The token of a client that speaks for itself cannot be revoked.
func (p *Provider) Revoke(ctx context.Context, c Client, q url.Values) error {
	if err := check(q); err != nil {
		return err
	}
	raw := q.Get("token")
	if raw == "" {
		return refuse("invalid_request", "token is needed")
	}
	claims, err := p.issuer.Inspect(ctx, raw)
	switch {
	case err == nil && claims.ClientID != c.ID:
		return nil
	case err == nil && claims.Session == "":
		return refuse("unsupported_token_type", "this token cannot be revoked, it ends by itself")
	case err == nil:
		person, _ := strconv.ParseInt(claims.Subject, 10, 64) // 0 has no sign-in
		family, _ := strconv.ParseInt(claims.Session, 10, 64)
		return p.families.End(ctx, person, c.ID, family)
	}
	known, err := p.families.Look(ctx, raw, c.ID)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return nil
	case err != nil:
		return err
	}
	return p.families.End(ctx, known.Family.Person.ID, c.ID, known.Family.ID)
}

// Logout ends all sign-ins of the person at the client, and returns where to send
// the browser, "" if the client does not say (OpenID Connect RP-Initiated Logout
// 1.0). The person stays signed in on the site itself. It checks:
//   - that id_token_hint is an ID token by a published key, which may have
//     expired (section 4); without one anybody could sign anybody out
//   - that client_id, if there is one, is the token's (section 2)
//   - post_logout_redirect_uri, character for character (section 3)
//
// What is wrong is a BadRequest fault, to be shown; then nobody is signed out.
func (p *Provider) Logout(ctx context.Context, q url.Values) (string, error) {
	if err := check(q); err != nil {
		return "", fault.New(fault.BadRequest, "a parameter comes twice or is no text").Because(err)
	}
	hint, err := p.issuer.Hint(ctx, q.Get("id_token_hint"))
	if err != nil || len(hint.Audience) != 1 || q.Has("client_id") && q.Get("client_id") != hint.Audience[0] {
		return "", fault.New(fault.BadRequest, "id_token_hint is not an ID token of the application").Because(err)
	}
	c, err := p.clients.Client(ctx, hint.Audience[0])
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return "", fault.New(fault.BadRequest, "the application is not known here").Because(err)
	case err != nil:
		return "", err
	}
	to := q.Get("post_logout_redirect_uri")
	if to != "" && (!slices.Contains(c.LogoutURIs, to) || !ValidRedirect(to)) {
		return "", fault.New(fault.BadRequest, "the post_logout_redirect_uri is not one of the application's")
	}
	person, _ := strconv.ParseInt(hint.Subject, 10, 64) // 0 is nobody
	if err := p.families.End(ctx, person, c.ID, 0); err != nil {
		return "", err
	}
	if q.Has("state") && to != "" {
		to = withQuery(to, url.Values{"state": {q.Get("state")}})
	}
	return to, nil
}
