package api

import (
	"net/http"
	"strconv"
	"time"

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
}

// listSessions answers GET /api/auth/sessions.
func (a accounts) listSessions(w http.ResponseWriter, r *http.Request) error {
	userID, current, err := a.here(r)
	if err != nil {
		return err
	}
	sessions, err := a.families.Sessions(r.Context(), userID)
	if err != nil {
		return err
	}
	reply := make([]sessionReply, len(sessions))
	for i, s := range sessions {
		reply[i] = sessionReply{
			ID: s.ID, CreatedAt: s.CreatedAt.UTC(), LastUsedAt: s.LastUsedAt.UTC(), Current: s.ID == current,
			Device: s.Device, Application: s.ClientName,
		}
	}
	return web.ReplyTagged(w, r, "private, no-cache", reply)
}

// endSession answers DELETE /api/auth/sessions/{id}, the one in use included.
func (a accounts) endSession(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	userID, _, err := a.here(r)
	if err != nil {
		return err
	}
	if err := a.families.EndSession(r.Context(), userID, id); err != nil {
		return err
	}
	noContent(w)
	return nil
}

// endOthers answers DELETE /api/auth/sessions: all end but the one in use.
func (a accounts) endOthers(w http.ResponseWriter, r *http.Request) error {
	userID, current, err := a.here(r)
	if err != nil {
		return err
	}
	if err := a.families.EndOthers(r.Context(), userID, current); err != nil {
		return err
	}
	noContent(w)
	return nil
}

// here is who asks and the session in use. It must be live: whoever holds a copy
// of an access token whose session was ended neither sees nor ends the others. A
// token that names no session has none.
func (a accounts) here(r *http.Request) (userID, current int64, err error) {
	u := token.UserFrom(r.Context())
	current, err = strconv.ParseInt(u.Session, 10, 64)
	if err != nil {
		current = 0
	}
	_, err = a.families.Began(r.Context(), current, u.ID, "")
	return u.ID, current, err
}
