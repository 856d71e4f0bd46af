package api

import (
	"net/http"
	"net/url"
	"strconv"

	"craftista/auth/internal/oidc"
	"craftista/shared/token"
	"craftista/shared/web"
)

// userinfoReply is OpenID Connect Core 1.0 section 5.3.2.
type userinfoReply struct {
	Subject  string `json:"sub"`
	Username string `json:"preferred_username,omitempty"`
	Email    string `json:"email,omitempty"`
}

// userinfo answers GET and POST /oauth2/userinfo, with what the token's scope
// covers of the person as they are now. The sign-in must be live.
func (o oauth) userinfo(w http.ResponseWriter, r *http.Request) error {
	u := token.UserFrom(r.Context())
	if err := o.provider.Live(r.Context(), u); err != nil {
		return err
	}
	p, err := o.people.Me(r.Context(), u.ID)
	if err != nil {
		return err
	}
	reply := userinfoReply{Subject: strconv.FormatInt(p.ID, 10)}
	if u.Granted("profile") {
		reply.Username = p.Username
	}
	if u.Granted("email") {
		reply.Email = p.Email
	}
	return web.Reply(w, http.StatusOK, reply)
}

// introspectReply is RFC 7662 section 2.2.
type introspectReply struct {
	Active   bool   `json:"active"`
	Scope    string `json:"scope,omitempty"`
	ClientID string `json:"client_id,omitempty"`
	Subject  string `json:"sub,omitempty"`
	Issuer   string `json:"iss,omitempty"`
	Expires  int64  `json:"exp,omitempty"` // Unix, s
	Type     string `json:"token_type,omitempty"`
}

// introspect answers POST /oauth2/introspect.
func (o oauth) introspect(w http.ResponseWriter, r *http.Request, c oidc.Client, q url.Values) error {
	i, err := o.provider.Introspect(r.Context(), c, q)
	if err != nil {
		return err
	}
	reply := introspectReply{Active: i.Active, Scope: i.Scope, ClientID: i.ClientID, Subject: i.Subject, Issuer: i.Issuer, Type: i.Type}
	if !i.Expires.IsZero() {
		reply.Expires = i.Expires.Unix()
	}
	return web.Reply(w, http.StatusOK, reply)
}

// revoke answers POST /oauth2/revoke, with 200 also for a token that is not known
// (RFC 7009 section 2.2).
func (o oauth) revoke(w http.ResponseWriter, r *http.Request, c oidc.Client, q url.Values) error {
	if err := o.provider.Revoke(r.Context(), c, q); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}

type loggedOut struct {
	Message string `json:"message"`
}

// logout answers GET and POST /oauth2/logout.
func (o oauth) logout(w http.ResponseWriter, r *http.Request) error {
	q, err := params(r)
	if err != nil {
		return err
	}
	to, err := o.provider.Logout(r.Context(), q)
	if err != nil {
		return err
	}
	if to != "" {
		seeOther(w, to)
		return nil
	}
	return web.Reply(w, http.StatusOK, loggedOut{Message: "signed out of the application"})
}
