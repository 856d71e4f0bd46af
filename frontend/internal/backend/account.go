package backend

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"craftista/shared/web"
)

// Profile is the person who is signed in, as auth has them now.
type Profile struct {
	Username      string    `json:"username"`
	Email         string    `json:"email"`
	EmailVerified bool      `json:"email_verified"` // they have proved that it is theirs
	Role          string    `json:"role"`           // one of the roles of shared/token
	CreatedAt     time.Time `json:"created_at"`
}

// Session is one sign-in of a person.
type Session struct {
	ID          int64     `json:"id"`
	CreatedAt   time.Time `json:"created_at"`
	LastUsedAt  time.Time `json:"last_used_at"`
	Current     bool      `json:"current"`     // the one that asks
	Device      string    `json:"device"`      // such as Firefox on Linux; "" if it is not known
	Application string    `json:"application"` // that the person let in; "" is the site itself
}

// Me is the bearer's person. Unauthenticated means that they may not sign in any
// more, here and below.
func (c Auth) Me(ctx context.Context, bearer string) (Profile, error) {
	return get[Profile](ctx, c.client, "/api/auth/me", bearer)
}

// ChangePassword replaces the bearer's password and ends their other sessions.
// Invalid lists what is wrong with current_password and new_password, Throttled is
// as for Login, Conflict means that it was changed elsewhere at the same moment.
func (c Auth) ChangePassword(ctx context.Context, by Browser, bearer, current, replacement string) error {
	return c.do(ctx, web.Request{
		Method: http.MethodPost, Path: "/api/auth/password", Bearer: bearer, Header: c.onBehalfOf(by),
		Body: map[string]string{"current_password": current, "new_password": replacement},
	})
}

// Sessions are the bearer's person's, the latest used first. Unauthenticated also
// means that the bearer's own session was ended.
func (c Auth) Sessions(ctx context.Context, bearer string) ([]Session, error) {
	return get[[]Session](ctx, c.client, "/api/auth/sessions", bearer)
}

// EndSession ends one of them; NotFound means that it has ended or is none of theirs.
func (c Auth) EndSession(ctx context.Context, bearer string, id int64) error {
	path := "/api/auth/sessions/" + strconv.FormatInt(id, 10)
	return c.do(ctx, web.Request{Method: http.MethodDelete, Path: path, Bearer: bearer})
}

// EndOtherSessions ends all of them but the bearer's own.
func (c Auth) EndOtherSessions(ctx context.Context, bearer string) error {
	return c.do(ctx, web.Request{Method: http.MethodDelete, Path: "/api/auth/sessions", Bearer: bearer})
}
