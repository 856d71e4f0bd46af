package api

import (
	"net/http"

	"craftista/auth/internal/account"
	"craftista/shared/web"
)

// accounts are the routes of people.
type accounts struct{ Dependencies }

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
func (a accounts) register(w http.ResponseWriter, r *http.Request, in registerRequest) error {
	p, err := a.Accounts.Register(r.Context(), network(a.InternalKey, r), account.Registration(in))
	if err != nil {
		return err
	}
	a.Recovery.Welcome(r.Context(), p)
	return web.Reply(w, http.StatusOK, registerReply{Message: "registered", UserID: p.ID, Username: p.Username})
}
