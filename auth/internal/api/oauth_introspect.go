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
	Verified *bool  `json:"email_verified,omitempty"` // nil without Email
}

// userinfo answers GET and POST /oauth2/userinfo, with what the token's scope
// covers of the person as they are now. The sign-in must be active.
func (o oauth) userinfo(w http.ResponseWriter, r *http.Request) error {
	u := token.UserFrom(r.Context())
	if _, err := o.Sessions.AuthTime(r.Context(), u); err != nil {
		return err
	}
	p, err := o.Accounts.Me(r.Context(), u.ID)
	if err != nil {
		return err
	}
	reply := userinfoReply{Subject: strconv.FormatInt(p.ID, 10)}
	if u.Granted("profile") {
		reply.Username = p.Username
	}
	if u.Granted("email") {
		reply.Email, reply.Verified = p.Email, &p.Verified
	}
	return web.Reply(w, http.StatusOK, reply)
}

// introspect answers POST /oauth2/introspect.
func (o oauth) introspect(w http.ResponseWriter, r *http.Request, c oidc.Client, q url.Values) error {
	i, err := o.Provider.Introspect(r.Context(), c, q)
	return reply(w, i, err)
}

// revoke answers POST /oauth2/revoke, with 200 for an unknown token, too (RFC 7009
// section 2.2).
func (o oauth) revoke(w http.ResponseWriter, r *http.Request, c oidc.Client, q url.Values) error {
	if err := o.Provider.Revoke(r.Context(), c, q); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}
