package api

import (
	"net/http"

	"craftista/shared/fault"
	"craftista/shared/web"
)

type loginRequest struct {
	Username string `json:"username"` // or the e-mail address
	Password string `json:"password"`
}

// login answers POST /api/auth/login. Who signs in again brings the access token of
// before, and does not wait for strangers.
func (a accounts) login(w http.ResponseWriter, r *http.Request, in loginRequest) error {
	if in.Username == "" || in.Password == "" {
		return fault.New(fault.BadRequest, "username and password are needed")
	}
	u, _, err := person(a.Issuer.Verifier, w, r)
	if err != nil {
		return err
	}
	p, hash, err := a.Accounts.SignIn(r.Context(), network(a.InternalKey, r), in.Username, in.Password, u.ID)
	if err != nil {
		return err
	}
	refresh, err := a.Sessions.Start(r.Context(), p.ID, hash, device(a.InternalKey, r))
	if err != nil {
		return err
	}
	return a.replyTokens(w, refresh)
}

type statusReply struct {
	Authenticated bool        `json:"authenticated"`
	Message       string      `json:"message"`
	User          *userStatus `json:"user,omitempty"`
}

type userStatus struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Role     string `json:"role"`
}

// status answers GET /api/auth/status, with 200 whoever asks: a bad token is the
// answer here and no failure.
func (a accounts) status(w http.ResponseWriter, r *http.Request) error {
	u, refused, err := person(a.Issuer.Verifier, w, r)
	if err != nil {
		return err
	}
	reply := statusReply{Message: "nobody is signed in"}
	switch {
	case refused != nil:
		reply.Message = web.FaultOf(refused).Message
	case u.ID != 0:
		user := userStatus{ID: u.ID, Username: u.Name, Role: u.Role}
		reply = statusReply{Authenticated: true, Message: "signed in", User: &user}
	}
	return web.ReplyJSONWithETag(w, r, "private, no-cache", reply)
}
