package backend

import (
	"context"
	"net/http"

	"craftista/shared/fault"
	"craftista/shared/web"
)

// Consent is what an application asks a person for. All of it is registered at
// auth, and text that somebody chose.
type Consent struct {
	ClientName  string   `json:"client_name"`
	RedirectURI string   `json:"redirect_uri"` // where the browser goes with the decision
	Scopes      []string `json:"scopes"`
	RedirectTo  string   `json:"redirect_to"` // where the browser goes at once; "" if the person is to be asked
}

// Consent reads the query of an authorization request, within the time of a page.
// bearer may be "". BadRequest is one that no browser may be redirected for.
func (c Auth) Consent(ctx context.Context, bearer, query string) (Consent, error) {
	ctx, cancel := context.WithTimeout(ctx, c.pageTimeout)
	defer cancel()
	reply, err := fetch[Consent](ctx, c.client, web.Request{
		Method: http.MethodPost, Path: "/oauth2/consent", Bearer: bearer,
		Header: http.Header{"X-Internal-Api-Key": {c.internalKey}}, Body: map[string]string{"query": query},
	})
	return reply, keyRefused(err)
}

// Decide carries the decision of the person with that access token to auth, and
// returns the URL to send the browser to. Conflict means that the application
// wants them to sign in again before they allow it, Unauthenticated that they
// are signed out, BadRequest is as for Consent.
func (c Auth) Decide(ctx context.Context, bearer, query string, approve bool) (string, error) {
	var reply struct {
		RedirectTo string `json:"redirect_to"`
	}
	_, err := c.call(ctx, web.Request{
		Method: http.MethodPost, Path: "/oauth2/decision", Bearer: bearer,
		Header: http.Header{"X-Internal-Api-Key": {c.internalKey}}, Body: map[string]any{"query": query, "approve": approve},
	}, &reply)
	if err == nil && reply.RedirectTo == "" {
		err = fault.New(fault.Unavailable, "sign-in answers without an address")
	}
	return reply.RedirectTo, err
}
