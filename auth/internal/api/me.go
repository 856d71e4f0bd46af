package api

import (
	"net/http"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/session"
	"craftista/shared/token"
	"craftista/shared/web"
)

type meReply struct {
	ID        int64     `json:"id"`
	Username  string    `json:"username"`
	Email     string    `json:"email"`
	Verified  bool      `json:"email_verified"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
}

// me answers GET /api/auth/me.
func (a accounts) me(w http.ResponseWriter, r *http.Request) error {
	p, err := a.Accounts.Me(r.Context(), token.UserFrom(r.Context()).ID)
	if err != nil {
		return err
	}
	return web.ReplyJSONWithETag(w, r, "private, no-cache", meReply{
		ID: p.ID, Username: p.Username, Email: p.Email, Verified: p.Verified, Role: p.Role, CreatedAt: p.CreatedAt,
	})
}

type passwordRequest struct {
	Current     string `json:"current_password"`
	Replacement string `json:"new_password"`
}

// changePassword answers POST /api/auth/password. The family that the access token
// names stays active; a token that names none revokes them all.
func (a accounts) changePassword(w http.ResponseWriter, r *http.Request, in passwordRequest) error {
	u, from := token.UserFrom(r.Context()), network(a.InternalKey, r)
	return noContent(w, a.Recovery.ChangePassword(r.Context(), from, account.PasswordChange{
		UserID: u.ID, ExceptFamily: session.ID(u), Current: in.Current, Replacement: in.Replacement,
	}))
}
