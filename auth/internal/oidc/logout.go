package oidc

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"craftista/auth/internal/session"
	"craftista/shared/fault"
)

// Logout revokes all families of the person at the client, and returns where to
// send the browser, "" if the client does not say (OpenID Connect RP-Initiated
// Logout 1.0). The person stays signed in on the site itself. It checks:
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
	hint, err := p.issuer.ParseIDToken(ctx, q.Get("id_token_hint"))
	if err != nil || len(hint.Audience) != 1 || q.Has("client_id") && q.Get("client_id") != hint.Audience[0] {
		return "", fault.New(fault.BadRequest, "id_token_hint is not an ID token of the application").Because(err)
	}
	c, err := p.client(ctx, hint.Audience[0])
	if err != nil {
		return "", err
	}
	to := q.Get("post_logout_redirect_uri")
	if to != "" && (!slices.Contains(c.LogoutURIs, to) || !ValidRedirect(to)) {
		return "", fault.New(fault.BadRequest, "the post_logout_redirect_uri is not one of the application's")
	}
	person, _ := strconv.ParseInt(hint.Subject, 10, 64) // 0 is nobody
	if err := p.sessions.Revoke(ctx, session.Filter{UserID: person, ClientID: c.ID}); err != nil {
		return "", err
	}
	if q.Has("state") && to != "" {
		to = withQuery(to, url.Values{"state": {q.Get("state")}})
	}
	return to, nil
}
