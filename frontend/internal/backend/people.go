package backend

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"craftista/shared/web"
)

// Person is somebody as admins see them.
type Person struct {
	ID        int64     `json:"id"`
	Username  string    `json:"username"`
	Email     string    `json:"email"`
	Role      string    `json:"role"` // one of the roles of shared/token
	Disabled  bool      `json:"disabled"`
	CreatedAt time.Time `json:"created_at"`
}

// People are at most limit of those whose name or address contains text, by id,
// and the cursor of the page after it, "" after the last. The bearer must be an
// admin's: else Forbidden, here and below. A text that is too long and a cursor
// that is none are Invalid.
func (c Auth) People(ctx context.Context, bearer, text, cursor string, limit int) ([]Person, string, error) {
	query := url.Values{"q": {text}, "cursor": {cursor}, "limit": {strconv.Itoa(limit)}}
	return getPage[[]Person](ctx, c.client, "/api/auth/users", query, bearer)
}

// SetRole gives a person a role, which shows when their session is next renewed.
// Conflict means that they are the last admin.
func (c Auth) SetRole(ctx context.Context, bearer string, id int64, role string) (Person, error) {
	return c.change(ctx, bearer, id, "/role", map[string]string{"role": role})
}

// SetDisabled keeps a person from signing in and ends their sessions, or lets them
// again. Conflict is as for SetRole.
func (c Auth) SetDisabled(ctx context.Context, bearer string, id int64, disabled bool) (Person, error) {
	return c.change(ctx, bearer, id, "/disabled", map[string]bool{"disabled": disabled})
}

func (c Auth) change(ctx context.Context, bearer string, id int64, what string, body any) (Person, error) {
	return fetch[Person](ctx, c.client, web.Request{
		Method: http.MethodPut, Path: "/api/auth/users/" + strconv.FormatInt(id, 10) + what, Bearer: bearer, Body: body,
	})
}
