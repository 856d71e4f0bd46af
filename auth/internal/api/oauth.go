package api

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/oidc"
	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"
)

// oauth is what other applications talk to.
type oauth struct {
	provider *oidc.Provider
	people   *account.Accounts
	lifetime time.Duration // of access tokens
	consent  string        // the URL of the page that asks people
}

// authorize answers GET and POST /oauth2/authorize: with the consent page, to
// which the request goes on as it came, or with a refusal.
func (o oauth) authorize(w http.ResponseWriter, r *http.Request) error {
	q, err := params(r)
	if err != nil {
		return err
	}
	to := o.consent + "?" + q.Encode()
	var refused *oidc.RedirectError
	if _, err := o.provider.Check(r.Context(), q); errors.As(err, &refused) {
		to = refused.To
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

// seeOther sends the browser on, with nothing of where it comes from and nothing
// kept (RFC 9700 section 4.2.4). It is 303, which never sends a form again
// (section 4.12).
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
}

// describe answers POST /oauth2/consent.
func (o oauth) describe(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[consentRequest](r)
	if err != nil {
		return err
	}
	q, err := parse(in.Query)
	if err != nil {
		return err
	}
	asked, err := o.provider.Check(r.Context(), q)
	var refused *oidc.RedirectError
	if errors.As(err, &refused) {
		return fault.New(fault.BadRequest, "the application's request cannot be granted").Because(err)
	}
	if err != nil {
		return err
	}
	return web.Reply(w, http.StatusOK, consentReply{
		ClientID: asked.Client.ID, ClientName: asked.Client.Name, RedirectURI: asked.RedirectURI, Scopes: strings.Fields(asked.Scope),
	})
}

type decisionRequest struct {
	Query   string `json:"query"` // of the authorization request
	Approve *bool  `json:"approve"`
}

type decisionReply struct {
	RedirectTo string `json:"redirect_to"`
}

// decide answers POST /oauth2/decision.
func (o oauth) decide(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[decisionRequest](r)
	if err != nil {
		return err
	}
	var c fault.Checks
	if c.Require(in.Approve != nil, "approve", "is required"); in.Approve == nil {
		return c.Err()
	}
	q, err := parse(in.Query)
	if err != nil {
		return err
	}
	to, err := o.provider.Decide(r.Context(), q, token.UserFrom(r.Context()), *in.Approve)
	if err != nil {
		return err
	}
	return web.Reply(w, http.StatusOK, decisionReply{RedirectTo: to})
}

func parse(query string) (url.Values, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, fault.New(fault.BadRequest, "query is not the query of a URL").Because(err)
	}
	return q, nil
}

// oauthTokens is RFC 6749 section 5.1 and OpenID Connect Core 1.0 section 3.1.3.3.
type oauthTokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // s
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope"`
}

// token answers POST /oauth2/token.
func (o oauth) token(w http.ResponseWriter, r *http.Request, c oidc.Client, q url.Values) error {
	tokens, err := o.provider.Exchange(r.Context(), c, q)
	if err != nil {
		return err
	}
	return web.Reply(w, http.StatusOK, oauthTokens{
		AccessToken: tokens.Access, TokenType: "Bearer", ExpiresIn: int64(o.lifetime / time.Second),
		RefreshToken: tokens.Refresh, IDToken: tokens.ID, Scope: tokens.Scope,
	})
}

// client lets only authenticated clients reach next (RFC 6749 section 2.3), and
// answers its refusals in OAuth's words. It checks:
//   - that the client uses one way only: HTTP Basic, or the form
//   - that client_id in both, if it is in both, is the same
//   - the secret: see Provider.Authenticate
func (o oauth) client(next func(http.ResponseWriter, *http.Request, oidc.Client, url.Values) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		q, err := form(r)
		if err != nil {
			return err
		}
		id, secret, err := credentials(r, q)
		if err == nil {
			var c oidc.Client
			if c, err = o.provider.Authenticate(r.Context(), id, secret); err == nil {
				err = next(w, r, c, q)
			}
		}
		return replyRefusal(w, r, err)
	}
}

func credentials(r *http.Request, q url.Values) (id, secret string, err error) {
	name, word, basic := r.BasicAuth()
	if !basic {
		return q.Get("client_id"), q.Get("client_secret"), nil
	}
	id, err = url.QueryUnescape(name) // section 2.3.1 escapes both
	secret, wrong := url.QueryUnescape(word)
	if err != nil || wrong != nil || q.Has("client_secret") || q.Has("client_id") && q.Get("client_id") != id {
		return "", "", &oidc.Error{Code: "invalid_request", Description: "the client says twice who it is"}
	}
	return id, secret, nil
}

type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// replyRefusal answers an *oidc.Error as RFC 6749 section 5.2 says, and returns
// any other error as it is.
func replyRefusal(w http.ResponseWriter, r *http.Request, err error) error {
	var e *oidc.Error
	if !errors.As(err, &e) {
		return err
	}
	web.NoteFailure(r.Context(), err)
	status := http.StatusBadRequest
	if e.Code == "invalid_client" {
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", `Basic realm="auth"`)
	}
	return web.Reply(w, status, oauthError{Error: e.Code, Description: e.Description})
}

// form is the body of a form: application/x-www-form-urlencoded, of at most 64
// KiB; the URL's query is no part of it (RFC 6749 section 2.3.1).
func form(r *http.Request) (url.Values, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return nil, fault.New(fault.Unsupported, "the body must be application/x-www-form-urlencoded")
	}
	r.Body = http.MaxBytesReader(nil, r.Body, web.MaxBody)
	err := r.ParseForm()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, fault.New(fault.TooLarge, "the body is over %d bytes", web.MaxBody)
	case err != nil:
		return nil, fault.New(fault.BadRequest, "the body is not a form").Because(err)
	}
	return r.PostForm, nil
}
