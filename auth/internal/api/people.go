package api

import (
	"net/http"
	"strconv"
	"time"

	"craftista/shared/token"
	"craftista/shared/web"
)

type meReply struct {
	ID        int64     `json:"id"`
	Username  string    `json:"username"`
	Email     string    `json:"email"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
}

// me answers GET /api/auth/me.
func (a accounts) me(w http.ResponseWriter, r *http.Request) error {
	p, err := a.people.Me(r.Context(), token.UserFrom(r.Context()).ID)
	if err != nil {
		return err
	}
	return web.ReplyTagged(w, r, "private, no-cache", meReply{
		ID: p.ID, Username: p.Username, Email: p.Email, Role: p.Role, CreatedAt: p.CreatedAt.UTC(),
	})
}

type passwordRequest struct {
	Current     string `json:"current_password"`
	Replacement string `json:"new_password"`
}

// changePassword answers POST /api/auth/password. The sign-in that the access
// token came of goes on; a token that does not say which ends them all.
func (a accounts) changePassword(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[passwordRequest](r)
	if err != nil {
		return err
	}
	u := token.UserFrom(r.Context())
	keep, err := strconv.ParseInt(u.Session, 10, 64)
	if err != nil {
		keep = 0
	}
	if err := a.people.ChangePassword(r.Context(), client(a.key, r), u.ID, keep, in.Current, in.Replacement); err != nil {
		return err
	}
	noContent(w)
	return nil
}

func noContent(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}
