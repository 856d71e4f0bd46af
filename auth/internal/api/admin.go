package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"craftista/auth/internal/account"
	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"
)

// pageSize is how many people a page has if the caller does not say.
const pageSize = 50

// admin is the administration of people. Its routes need the role admin.
type admin struct{ Dependencies }

type personReply struct {
	ID        int64     `json:"id"`
	Username  string    `json:"username"`
	Email     string    `json:"email"`
	Verified  bool      `json:"email_verified"`
	Role      string    `json:"role"`
	Disabled  bool      `json:"disabled"`
	CreatedAt time.Time `json:"created_at"`
}

// list answers GET /api/auth/users.
func (a admin) list(w http.ResponseWriter, r *http.Request) error {
	page, err := readPage(r.URL.Query())
	if err != nil {
		return err
	}
	people, more, err := a.Accounts.List(r.Context(), page)
	if err != nil {
		return err
	}
	replies := make([]personReply, len(people)) // an empty page is [], not null
	for i, p := range people {
		replies[i] = personReply(p)
	}
	if more {
		w.Header().Set("Link", web.NextLink(r.URL, cursor(people[len(people)-1].ID)))
	}
	return web.ReplyJSONWithETag(w, r, "private, no-cache", replies)
}

type roleRequest struct {
	Role string `json:"role"`
}

// setRole answers PUT /api/auth/users/{id}/role.
func (a admin) setRole(w http.ResponseWriter, r *http.Request, in roleRequest) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	p, err := a.Accounts.SetRole(r.Context(), token.UserFrom(r.Context()).ID, id, in.Role)
	return reply(w, personReply(p), err)
}

type disabledRequest struct {
	Disabled *bool `json:"disabled"` // one left out must not enable anybody
}

// setDisabled answers PUT /api/auth/users/{id}/disabled.
func (a admin) setDisabled(w http.ResponseWriter, r *http.Request, in disabledRequest) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	var c fault.Checks
	if c.Require(in.Disabled != nil, "disabled", "is required"); in.Disabled == nil {
		return c.Err()
	}
	p, err := a.Accounts.SetDisabled(r.Context(), token.UserFrom(r.Context()).ID, id, *in.Disabled)
	return reply(w, personReply(p), err)
}

// readPage reads q, limit and cursor; an empty one counts as absent, and other
// parameters are ignored. It reports all broken rules at once.
func readPage(q url.Values) (account.Page, error) {
	var broken fault.Checks
	p := account.Page{Search: q.Get("q"), Limit: pageSize}
	isText := utf8.ValidString(p.Search) && !strings.Contains(p.Search, "\x00")
	broken.Require(len(p.Search) <= account.MaxSearch && isText,
		"q", fmt.Sprintf("must be text of at most %d bytes", account.MaxSearch))
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		p.Limit = n
		broken.Require(err == nil && n >= 1 && n <= account.MaxPage,
			"limit", fmt.Sprintf("must be between 1 and %d", account.MaxPage))
	}
	if text := q.Get("cursor"); text != "" {
		decoded, err := base64.RawURLEncoding.DecodeString(text)
		id, wrong := strconv.ParseInt(string(decoded), 10, 64)
		p.After = id
		broken.Require(err == nil && wrong == nil && cursor(id) == text, "cursor", "must be one that a page gave")
	}
	return p, broken.Err()
}

// cursor is a position in the list. Callers pass it back as they got it.
func cursor(id int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(id, 10)))
}
