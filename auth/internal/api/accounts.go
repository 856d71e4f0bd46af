package api

import (
	"net/http"

	"craftista/auth/internal/account"
	issued "craftista/auth/internal/token"
	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"
)

type accounts struct {
	people   *account.Accounts
	issuer   *issued.Issuer
	families *issued.Families
	key      string // see client
}

type registerRequest struct {
	Username string `json:"username"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

type registerReply struct {
	Message  string `json:"message"`
	UserID   int64  `json:"user_id"`
	Username string `json:"username"`
}

// register answers POST /api/auth/register.
func (a accounts) register(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[registerRequest](r)
	if err != nil {
		return err
	}
	p, err := a.people.Register(r.Context(), client(a.key, r), account.Registration(in))
	if err != nil {
		return err
	}
	return web.Reply(w, http.StatusOK, registerReply{Message: "registered", UserID: p.ID, Username: p.Username})
}

type loginRequest struct {
	Username string `json:"username"` // or the e-mail address
	Password string `json:"password"`
}

// login answers POST /api/auth/login.
func (a accounts) login(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[loginRequest](r)
	if err != nil {
		return err
	}
	if in.Username == "" || in.Password == "" {
		return fault.New(fault.BadRequest, "username and password are needed")
	}
	p, err := a.people.SignIn(r.Context(), client(a.key, r), in.Username, in.Password)
	if err != nil {
		return err
	}
	refresh, err := a.families.Start(r.Context(), p.ID, device(a.key, r))
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
	reply := statusReply{Message: "nobody is signed in"}
	err := token.Optional(a.issuer.Verifier, func(_ http.ResponseWriter, r *http.Request) error {
		if u := token.UserFrom(r.Context()); u.ID != 0 {
			reply = statusReply{Authenticated: true, Message: "signed in", User: &userStatus{ID: u.ID, Username: u.Name, Role: u.Role}}
		}
		return nil
	})(w, r)
	switch refused := web.FaultOf(err); {
	case err == nil:
	case refused.Kind == fault.Unauthenticated, refused.Kind == fault.Forbidden:
		reply.Message = refused.Message
	default:
		return err
	}
	return web.ReplyTagged(w, r, "private, no-cache", reply)
}
