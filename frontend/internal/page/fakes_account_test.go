package page_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// serveAccount has person 7 with three sessions, and three people.
func (w *website) serveAccount() {
	const at = "2026-11-20T08:30:00Z"
	w.password = "open sesame please"
	w.sessions = []map[string]any{
		{"id": 3, "created_at": at, "last_used_at": "2026-11-22T09:00:00Z", "current": true, "device": "Firefox on Linux",
			"application": ""},
		{"id": 4, "created_at": at, "last_used_at": at, "current": false, "device": "", "application": ""},
		{"id": 5, "created_at": at, "last_used_at": at, "current": false, "device": "", "application": "<b>Birds</b>"},
	}
	w.people = []map[string]any{
		{"id": 7, "username": "person-7", "email": "seven@example.com", "role": "admin", "disabled": false,
			"created_at": at},
		{"id": 8, "username": "crane", "email": `"><script>@example.com`, "role": "user", "disabled": false,
			"created_at": at},
		{"id": 9, "username": "heron", "email": "h@example.com", "role": "curator", "disabled": true, "created_at": at},
	}
	w.auth.onBearer("GET /api/auth/me", func(*call) any {
		return map[string]any{"id": 7, "username": "person-7", "email": "seven@example.com", "email_verified": w.verified,
			"role": "curator", "created_at": "2026-01-02T03:04:05Z"}
	})
	w.auth.onBearer("POST /api/auth/password", w.takePassword)
	w.serveMails()
	w.auth.onBearer("GET /api/auth/sessions", func(*call) any { return w.sessions })
	w.auth.onBearer("DELETE /api/auth/sessions", func(c *call) any {
		w.end(c, func(s map[string]any) bool { return s["current"] == false })
		return nil
	})
	w.auth.onBearer("DELETE /api/auth/sessions/{id}", func(c *call) any {
		if !w.end(c, func(s map[string]any) bool { return strconv.Itoa(s["id"].(int)) == c.PathValue("id") }) {
			return refuse(http.StatusNotFound, "you have no such session")
		}
		return nil
	})
	w.auth.onBearer("GET /api/auth/users", w.listPeople)
	w.auth.onBearer("PUT /api/auth/users/{id}/role", w.changePerson)
	w.auth.onBearer("PUT /api/auth/users/{id}/disabled", w.changePerson)
}

// end ends sessions and reports whether there were any.
func (w *website) end(c *call, which func(map[string]any) bool) bool {
	before := len(w.sessions)
	w.sessions = slices.DeleteFunc(w.sessions, which)
	w.ended = append(w.ended, c.URL.Path)
	return len(w.sessions) < before
}

func (w *website) takePassword(c *call) any {
	current, replacement := c.in["current_password"], c.in["new_password"].(string)
	switch {
	case !c.onBehalf():
		return refuse(http.StatusInternalServerError, "whose address is this")
	case current == "busy":
		return c.tooManyTries()
	case current == "raced":
		return refuse(http.StatusConflict, "changed just now")
	case len(replacement) < 10:
		return refuse(http.StatusUnprocessableEntity, "rules", "new_password", "must have 10 to 72 bytes")
	case current != w.password:
		return refuse(http.StatusUnprocessableEntity, "rules", "current_password", "is wrong")
	}
	w.password, w.sessions = replacement, w.sessions[:1]
	return nil
}

// listPeople gives two on the first page and the rest on the second.
func (w *website) listPeople(c *call) any {
	query, found := c.URL.Query(), []map[string]any{}
	if len(query.Get("q")) > 254 {
		return refuse(http.StatusUnprocessableEntity, "rules", "q", "must be text of at most 254 bytes")
	}
	for _, p := range w.people {
		if strings.Contains(p["username"].(string), query.Get("q")) {
			found = append(found, p)
		}
	}
	switch {
	case query.Get("cursor") != "":
		return found[2:]
	case len(found) > 2:
		c.next("/api/auth/users?cursor=two%3D")
		return found[:2]
	}
	return found
}

// changePerson refuses what would leave no admin.
func (w *website) changePerson(c *call) any {
	p := withID(w.people, c.PathValue("id"))
	isAnotherAdmin := func(other map[string]any) bool { return other["role"] == "admin" && other["id"] != p["id"] }
	switch {
	case p == nil:
		return refuse(http.StatusNotFound, "nobody has that id")
	case p["role"] == "admin" && !slices.ContainsFunc(w.people, isAnotherAdmin):
		return refuse(http.StatusConflict, "this is the last admin, make somebody else an admin first")
	}
	maps.Copy(p, c.in)
	return p
}

// serveKeys hands on the issuer's keys, so that auth's failure is theirs too.
func (w *website) serveKeys() { w.auth.Handle("GET /.well-known/", w.issuer) }

// onBehalf reports whether the site says whom the request is for: the person of
// these tests, not whom their headers claim.
func (c *call) onBehalf() bool {
	return c.Header.Get("X-Internal-API-Key") == "the-key" && c.Header.Get("X-Client-Address") == "127.0.0.1"
}

func (c *call) tooManyTries() any {
	c.header.Set("Retry-After", "30")
	return refuse(http.StatusTooManyRequests, "too many tries")
}

// serveAuth accepts each refresh token that begins with r, until it is revoked.
func (w *website) serveAuth() {
	loggedOut := map[any]bool{} // refresh tokens
	w.auth.on("POST /api/auth/login", func(c *call) any {
		w.signedInBy = c.Header.Get("Authorization")
		switch {
		case !c.onBehalf():
			return refuse(http.StatusInternalServerError, "whose address is this")
		case c.in["username"] == "busy":
			return c.tooManyTries()
		case c.in["password"] != "open sesame please":
			return refuse(http.StatusUnauthorized, "wrong")
		}
		return w.grant()
	})
	w.auth.on("POST /api/auth/refresh", func(c *call) any {
		w.refreshes.Add(1)
		old := c.in["refresh_token"].(string)
		if loggedOut[old] || !strings.HasPrefix(old, "r") {
			return refuse(http.StatusUnauthorized, "the refresh token is no longer valid, sign in again")
		}
		return w.grant()
	})
	w.auth.on("POST /api/auth/logout", func(c *call) any {
		loggedOut[c.in["refresh_token"]] = true
		return nil
	})
	w.auth.on("POST /api/auth/register", func(c *call) any {
		username, password := c.in["username"], c.in["password"].(string)
		switch {
		case !c.onBehalf() || username == "badkey":
			return refuse(http.StatusUnauthorized, "no key")
		case username == "taken":
			return refuse(http.StatusConflict, "taken")
		case len(password) < 10:
			return refuse(http.StatusUnprocessableEntity, "rules", "password", "must have 10 to 72 bytes",
				"username", "is too short")
		}
		return map[string]any{"user_id": 7, "username": username}
	})
	w.auth.on("GET /api/auth/status", func(c *call) any {
		return map[string]any{"authenticated": c.Header.Get("Authorization") != "", "message": "so it is"}
	})
}

// grant is a new pair: r1, r2 and so on.
func (w *website) grant() any {
	w.grants++
	return map[string]any{
		"access_token": w.issuer.Mint(7, "user"), "token_type": "Bearer", "expires_in": 900,
		"refresh_token": fmt.Sprintf("r%d", w.grants), "refresh_expires_in": 2592000,
	}
}
