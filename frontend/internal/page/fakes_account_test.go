package page_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
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

// serveKeys hands on the issuer's keys, so that auth's failure is theirs too.
func (w *website) serveKeys() {
	issuer, err := url.Parse(w.issuer.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	w.auth.Handle("GET /.well-known/jwks.json", httputil.NewSingleHostReverseProxy(issuer))
}

// onBehalf reports whether the site says whom the request is for: the person of
// these tests, not whom their headers claim.
func (w *website) onBehalf(r *http.Request) bool {
	return r.Header.Get("X-Internal-API-Key") == "the-key" && r.Header.Get("X-Client-Address") == "127.0.0.1"
}

func (w *website) serveAuth() {
	w.auth.HandleFunc("POST /api/auth/login", func(rw http.ResponseWriter, r *http.Request) {
		var in struct{ Username, Password string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		switch {
		case !w.onBehalf(r):
			refuse(rw, http.StatusInternalServerError, "whose address is this")
		case in.Username == "busy":
			rw.Header().Set("Retry-After", "30")
			refuse(rw, http.StatusTooManyRequests, "too many tries")
		case in.Password != "open sesame please":
			refuse(rw, http.StatusUnauthorized, "wrong")
		default:
			w.grant(rw)
		}
	})
	w.serveRefresh()
	w.auth.HandleFunc("POST /api/auth/register", func(rw http.ResponseWriter, r *http.Request) {
		var in struct{ Username, Email, Password string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		switch {
		case !w.onBehalf(r) || in.Username == "badkey":
			refuse(rw, http.StatusUnauthorized, "no key")
		case in.Username == "taken":
			refuse(rw, http.StatusConflict, "taken")
		case len(in.Password) < 10:
			refuse(rw, http.StatusUnprocessableEntity, "rules", map[string]string{"field": "password",
				"message": "must have 10 to 72 bytes"},
				map[string]string{"field": "username", "message": "is too short"})
		default:
			reply(rw, http.StatusOK, map[string]any{"user_id": 7, "username": in.Username})
		}
	})
	w.auth.HandleFunc("GET /api/auth/status", func(rw http.ResponseWriter, r *http.Request) {
		reply(rw, http.StatusOK, map[string]any{"authenticated": r.Header.Get("Authorization") != "", "message": "so it is"})
	})
}

// grant answers with a new pair: r1, r2 and so on.
func (w *website) grant(rw http.ResponseWriter) {
	reply(rw, http.StatusOK, map[string]any{
		"access_token": w.issuer.Mint(7, "user"), "token_type": "Bearer", "expires_in": 900,
		"refresh_token": fmt.Sprintf("r%d", w.grants.Add(1)), "refresh_expires_in": 2592000,
	})
}

// serveRefresh accepts each refresh token that begins with r, until it is revoked.
func (w *website) serveRefresh() {
	var revoked sync.Map
	token := func(r *http.Request) string {
		var in struct {
			RefreshToken string `json:"refresh_token"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		return in.RefreshToken
	}
	w.auth.HandleFunc("POST /api/auth/refresh", func(rw http.ResponseWriter, r *http.Request) {
		w.refreshes.Add(1)
		old := token(r)
		if _, gone := revoked.Load(old); gone || !strings.HasPrefix(old, "r") {
			refuse(rw, http.StatusUnauthorized, "the refresh token is not good any more, sign in again")
			return
		}
		w.grant(rw)
	})
	w.auth.HandleFunc("POST /api/auth/logout", func(rw http.ResponseWriter, r *http.Request) {
		revoked.Store(token(r), true)
		rw.WriteHeader(http.StatusNoContent)
	})
}
