package api

import (
	"errors"
	"net/http"
	"net/url"

	"craftista/auth/internal/oidc"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// token answers POST /oauth2/token.
func (o oauth) token(w http.ResponseWriter, r *http.Request, c oidc.Client, q url.Values) error {
	tokens, err := o.Provider.Exchange(r.Context(), c, q)
	return reply(w, tokens, err)
}

// client lets only authenticated clients reach next (RFC 6749 section 2.3), and
// answers its refusals by error codes of OAuth. It checks:
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
			if c, err = o.Provider.Authenticate(r.Context(), id, secret); err == nil {
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

// replyRefusal answers an *oidc.Error as RFC 6749 section 5.2 says, and returns
// any other error as it is.
func replyRefusal(w http.ResponseWriter, r *http.Request, err error) error {
	e, ok := errors.AsType[*oidc.Error](err)
	if !ok {
		return err
	}
	web.RecordError(r.Context(), err)
	status := http.StatusBadRequest
	if e.Code == "invalid_client" {
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", `Basic realm="auth"`)
	}
	return web.Reply(w, status, e)
}

// form is the body of a form: application/x-www-form-urlencoded, of at most 64
// KiB; the URL's query is no part of it (RFC 6749 section 2.3.1).
func form(r *http.Request) (url.Values, error) {
	_, body, err := web.ReadBody(r, web.MaxBody, "application/x-www-form-urlencoded")
	if err != nil {
		return nil, err
	}
	q, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.New(fault.BadRequest, "the body is not a form") // err repeats a part of it
	}
	return q, nil
}
