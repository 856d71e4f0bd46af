package api

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"craftista/auth/internal/oidc"
	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"
)

// oauth are the routes of OAuth clients, and of the page that asks people about
// them.
type oauth struct{ Dependencies }

// authorize answers GET and POST /oauth2/authorize: it sends the browser to the
// consent page with the request and when it came, or back to the client with a refusal.
func (o oauth) authorize(w http.ResponseWriter, r *http.Request) error {
	q, err := params(r)
	if err != nil {
		return err
	}
	o.Provider.Stamp(q)
	to := o.ConsentURL + "?" + q.Encode()
	_, err = o.Provider.Check(r.Context(), q)
	if refused, ok := errors.AsType[*oidc.Error](err); ok {
		to = refused.RedirectTo
	} else if err != nil {
		return err
	}
	seeOther(w, to)
	return nil
}

// params are those of a GET's query or a POST's form.
func params(r *http.Request) (url.Values, error) {
	if r.Method == http.MethodPost {
		return form(r)
	}
	return web.Query(r)
}

// seeOther redirects the browser, without referrer and not to be cached (RFC 9700
// section 4.2.4). It is 303, which never sends a form again (section 4.12).
func seeOther(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}

type consentRequest struct {
	Query string `json:"query"` // of the authorization request
}

type consentReply struct {
	ClientID    string   `json:"client_id"`
	ClientName  string   `json:"client_name"`
	RedirectURI string   `json:"redirect_uri"`
	Scopes      []string `json:"scopes"`
	RedirectTo  string   `json:"redirect_to,omitempty"` // with prompt=none: where to send the browser at once
}

// consent answers POST /oauth2/consent: what the page tells the person, or the answer
// to an application that wants nobody asked. Who has a bad token is nobody.
func (o oauth) consent(w http.ResponseWriter, r *http.Request, in consentRequest) error {
	q, err := parseQuery(in.Query)
	if err != nil {
		return err
	}
	asked, err := o.Provider.Check(r.Context(), q)
	if _, ok := errors.AsType[*oidc.Error](err); ok {
		return fault.New(fault.BadRequest, "the application's request cannot be granted").Because(err)
	}
	if err != nil {
		return err
	}
	reply := consentReply{
		ClientID: asked.Client.ID, ClientName: asked.Client.Name,
		RedirectURI: asked.RedirectURI, Scopes: strings.Fields(asked.Scope),
	}
	if asked.Silent {
		u, _, err := person(o.Issuer.Verifier, w, r)
		if err != nil {
			return err
		}
		if reply.RedirectTo, err = o.Provider.DecideSilently(r.Context(), asked, u); err != nil {
			return err
		}
	}
	return web.Reply(w, http.StatusOK, reply)
}

type decisionRequest struct {
	Query   string `json:"query"` // of the authorization request
	Approve *bool  `json:"approve"`
}

type decisionReply struct {
	RedirectTo string `json:"redirect_to"`
}

// decide answers POST /oauth2/decision.
func (o oauth) decide(w http.ResponseWriter, r *http.Request, in decisionRequest) error {
	var c fault.Checks
	if c.Require(in.Approve != nil, "approve", "is required"); in.Approve == nil {
		return c.Err()
	}
	q, err := parseQuery(in.Query)
	if err != nil {
		return err
	}
	to, err := o.Provider.Decide(r.Context(), q, token.UserFrom(r.Context()), *in.Approve)
	return reply(w, decisionReply{RedirectTo: to}, err)
}

func parseQuery(query string) (url.Values, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, fault.New(fault.BadRequest, "query is not the query of a URL") // err repeats a part of it
	}
	return q, nil
}
