package api

import (
	"net/http"
	"time"

	"craftista/auth/internal/session"
	"craftista/shared/token"
	"craftista/shared/web"
)

type sessionReply struct {
	ID          int64     `json:"id"`
	CreatedAt   time.Time `json:"created_at"`
	LastUsedAt  time.Time `json:"last_used_at"`
	Current     bool      `json:"current"`
	Device      string    `json:"device"`      // "" if it is not known
	Application string    `json:"application"` // "" is the site itself
	Scope       string    `json:"scope"`       // what the person let the application do
}

// listSessions answers GET /api/auth/sessions.
func (a accounts) listSessions(w http.ResponseWriter, r *http.Request) error {
	userID, current, err := a.current(r)
	if err != nil {
		return err
	}
	sessions, err := a.Sessions.List(r.Context(), userID)
	if err != nil {
		return err
	}
	reply := make([]sessionReply, len(sessions))
	for i, s := range sessions {
		reply[i] = sessionReply{
			ID: s.ID, CreatedAt: s.CreatedAt, LastUsedAt: s.LastUsedAt, Current: s.ID == current,
			Device: s.Device, Application: s.ClientName, Scope: s.Scope,
		}
	}
	return web.ReplyJSONWithETag(w, r, "private, no-cache", reply)
}

// endSession answers DELETE /api/auth/sessions/{id}, the one in use included.
func (a accounts) endSession(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	userID, _, err := a.current(r)
	if err != nil {
		return err
	}
	return noContent(w, a.Sessions.RevokeOne(r.Context(), userID, id))
}

// endOtherSessions answers DELETE /api/auth/sessions: all but the one in use.
func (a accounts) endOtherSessions(w http.ResponseWriter, r *http.Request) error {
	userID, current, err := a.current(r)
	if err != nil {
		return err
	}
	return noContent(w, a.Sessions.RevokeOthers(r.Context(), userID, current))
}

// current is who asks and the session in use. It must be active: whoever has a
// copy of an access token whose session was ended neither sees nor ends the
// others. A token that names no session has none.
func (a accounts) current(r *http.Request) (userID, current int64, err error) {
	u := token.UserFrom(r.Context())
	_, err = a.Sessions.AuthTime(r.Context(), u)
	return u.ID, session.ID(u), err
}
