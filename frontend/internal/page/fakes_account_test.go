package page_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// people are the sessions and the people that the fake auth has.
type people struct {
	mu       sync.Mutex // guards the rest
	sessions []map[string]any
	all      []map[string]any
	ended    []string // paths
	password string
}

func newPeople() *people {
	const at = "2026-11-20T08:30:00Z"
	return &people{
		sessions: []map[string]any{
			{"id": 3, "created_at": at, "last_used_at": "2026-11-22T09:00:00Z", "current": true, "device": "Firefox on Linux",
				"application": ""},
			{"id": 4, "created_at": at, "last_used_at": at, "current": false, "device": "", "application": ""},
			{"id": 5, "created_at": at, "last_used_at": at, "current": false, "device": "", "application": "<b>Birds</b>"},
		},
		all: []map[string]any{
			{"id": 7, "username": "person-7", "email": "seven@example.com", "role": "admin", "disabled": false,
				"created_at": at},
			{"id": 8, "username": "crane", "email": `"><script>@example.com`, "role": "user", "disabled": false,
				"created_at": at},
			{"id": 9, "username": "heron", "email": "h@example.com", "role": "curator", "disabled": true, "created_at": at},
		},
		password: "open sesame please",
	}
}

func (w *website) serveAccount() {
	p := w.people
	w.auth.HandleFunc("GET /api/auth/me", w.held(func(rw http.ResponseWriter, _ *http.Request) {
		reply(rw, http.StatusOK, map[string]any{"id": 7, "username": "person-7", "email": "seven@example.com",
			"role": "curator", "created_at": "2026-01-02T03:04:05Z"})
	}))
	w.auth.HandleFunc("POST /api/auth/password", w.held(w.takePassword))
	w.auth.HandleFunc("GET /api/auth/sessions",
		w.held(func(rw http.ResponseWriter, _ *http.Request) { reply(rw, http.StatusOK, p.sessions) }))
	w.auth.HandleFunc("DELETE /api/auth/sessions", w.held(func(rw http.ResponseWriter, r *http.Request) {
		p.end(r, func(s map[string]any) bool { return s["current"] == false })
		rw.WriteHeader(http.StatusNoContent)
	}))
	w.auth.HandleFunc("DELETE /api/auth/sessions/{id}", w.held(func(rw http.ResponseWriter, r *http.Request) {
		if !p.end(r, func(s map[string]any) bool { return strconv.Itoa(s["id"].(int)) == r.PathValue("id") }) {
			refuse(rw, http.StatusNotFound, "you have no such session")
			return
		}
		rw.WriteHeader(http.StatusNoContent)
	}))
	w.auth.HandleFunc("GET /api/auth/users", w.held(w.listPeople))
	w.auth.HandleFunc("PUT /api/auth/users/{id}/role", w.held(w.changePerson("role")))
	w.auth.HandleFunc("PUT /api/auth/users/{id}/disabled", w.held(w.changePerson("disabled")))
}

// held answers those whose token is good, one at a time.
func (w *website) held(next http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		revoked := w.revoked
		w.mu.Unlock()
		if revoked || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ey") {
			refuse(rw, http.StatusUnauthorized, "this sign-in is over")
			return
		}
		w.people.mu.Lock()
		defer w.people.mu.Unlock()
		next(rw, r)
	}
}

func (p *people) end(r *http.Request, which func(map[string]any) bool) bool {
	before := len(p.sessions)
	p.sessions = slices.DeleteFunc(slices.Clone(p.sessions), which)
	p.ended = append(p.ended, r.URL.Path)
	return len(p.sessions) < before
}

func (w *website) takePassword(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		Current     string `json:"current_password"`
		Replacement string `json:"new_password"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	switch {
	case !w.onBehalf(r):
		refuse(rw, http.StatusInternalServerError, "whose address is this")
	case in.Current == "busy":
		rw.Header().Set("Retry-After", "30")
		refuse(rw, http.StatusTooManyRequests, "too many tries")
	case in.Current == "raced":
		refuse(rw, http.StatusConflict, "changed just now")
	case len(in.Replacement) < 10:
		refuse(rw, http.StatusUnprocessableEntity, "rules", map[string]string{"field": "new_password",
			"message": "must have 10 to 72 bytes"})
	case in.Current != w.people.password:
		refuse(rw, http.StatusUnprocessableEntity, "rules", map[string]string{"field": "current_password",
			"message": "is not your password"})
	default:
		w.people.password, w.people.sessions = in.Replacement, w.people.sessions[:1]
		rw.WriteHeader(http.StatusNoContent)
	}
}

// listPeople gives two on the first page and the rest on the second.
func (w *website) listPeople(rw http.ResponseWriter, r *http.Request) {
	query, found := r.URL.Query(), []map[string]any{}
	if len(query.Get("q")) > 254 {
		refuse(rw, http.StatusUnprocessableEntity, "rules", map[string]string{"field": "q",
			"message": "must be text of at most 254 bytes"})
		return
	}
	for _, p := range w.people.all {
		if strings.Contains(p["username"].(string), query.Get("q")) {
			found = append(found, p)
		}
	}
	switch {
	case query.Get("cursor") == "" && len(found) > 2:
		rw.Header().Set("Link", `</api/auth/users?cursor=two%3D>; rel="next"`)
		found = found[:2]
	case query.Get("cursor") != "":
		found = found[2:]
	}
	reply(rw, http.StatusOK, found)
}

// changePerson refuses what would leave no admin, and person 404.
func (w *website) changePerson(field string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in)
		for _, p := range w.people.all {
			if strconv.Itoa(p["id"].(int)) != r.PathValue("id") {
				continue
			}
			admins := 0
			for _, other := range w.people.all {
				if other["role"] == "admin" && other["disabled"] == false {
					admins++
				}
			}
			if p["role"] == "admin" && admins == 1 {
				refuse(rw, http.StatusConflict, "this is the last admin, make somebody else one first")
				return
			}
			p[field] = in[field]
			reply(rw, http.StatusOK, p)
			return
		}
		refuse(rw, http.StatusNotFound, "nobody has that id")
	}
}
