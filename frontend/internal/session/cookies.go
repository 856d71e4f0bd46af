package session

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"craftista/frontend/internal/backend"
)

// The cookies' names. On https they have the prefix __Host-, by which the browser
// insists on Secure, Path=/ and no Domain (RFC 6265bis section 4.1.3.2).
const (
	hostPrefix    = "__Host-"
	accessCookie  = "craftista_session"
	refreshCookie = "craftista_refresh"
	voteCookie    = "craftista_vote" // the id of a product that somebody wanted to vote for, signed out
)

const (
	// maxRefresh bounds a refresh token that is accepted, in bytes; auth's have 43.
	maxRefresh = 512
	// rememberExpired is how much longer the access token's cookie lasts than the
	// session: a browser drops cookies without a word, one that is left tells expired
	// from never signed in.
	rememberExpired = 24 * time.Hour
	// rememberVote is the time to sign in, or to register, until a vote is forgotten.
	rememberVote = 30 * time.Minute
	// ended stands in the access token's cookie after a session that auth ended. It
	// is no token, and so amounts to Expired.
	ended = "ended"
)

// Start signs the browser in with what auth granted.
func (k *Manager) Start(w http.ResponseWriter, r *http.Request, grant backend.Grant) {
	k.set(w, r, accessCookie, grant.AccessToken, seconds(grant.RefreshLife+rememberExpired))
	k.set(w, r, refreshCookie, grant.RefreshToken, seconds(grant.RefreshLife))
}

// End signs the browser out.
func (k *Manager) End(w http.ResponseWriter, r *http.Request) {
	k.set(w, r, accessCookie, "", -1)
	k.set(w, r, refreshCookie, "", -1)
}

// RememberVote has the browser remember the product that a person clicked to vote for,
// for when they have signed in. Only a click on this site gets here (see sameOrigin of
// the pages), and no address can say what the cookie does.
func (k *Manager) RememberVote(w http.ResponseWriter, r *http.Request, productID int64) {
	k.set(w, r, voteCookie, strconv.FormatInt(productID, 10), seconds(rememberVote))
}

// RememberedVote is that product's id, 0 if there is none.
func (k *Manager) RememberedVote(r *http.Request) int64 {
	id, _ := strconv.ParseInt(k.cookie(r, voteCookie), 10, 64) // 0 where there is no number
	return max(id, 0)
}

// ForgetVote has the browser forget it.
func (k *Manager) ForgetVote(w http.ResponseWriter, r *http.Request) { k.set(w, r, voteCookie, "", -1) }

// expire takes both tokens from the browser and leaves a note that there were
// some, for the sign-in to tell and clear.
func (k *Manager) expire(w http.ResponseWriter, r *http.Request) {
	k.set(w, r, accessCookie, ended, seconds(rememberExpired))
	k.set(w, r, refreshCookie, "", -1)
}

// IsAnonymous reports whether the request comes with no cookie of ours at all, not
// even that of an expired session.
func (k *Manager) IsAnonymous(r *http.Request) bool {
	return k.cookie(r, accessCookie) == "" && k.cookie(r, refreshCookie) == ""
}

// set sets the cookie, and takes back what this response said of it before.
func (k *Manager) set(w http.ResponseWriter, r *http.Request, name, value string, maxAge int) {
	name = k.name(r, name)
	h := w.Header()
	h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(c string) bool { return strings.HasPrefix(c, name+"=") })
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure on https; on plain http, a laptop's, the browser would drop it
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: k.https(r), SameSite: http.SameSiteLaxMode,
	})
}

// cookie is the cookie's value, "" if there is none or it cannot be ours.
func (k *Manager) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(k.name(r, name))
	if err != nil || name == refreshCookie && len(c.Value) > maxRefresh {
		return ""
	}
	return c.Value
}

func (k *Manager) name(r *http.Request, name string) string {
	if k.https(r) {
		return hostPrefix + name
	}
	return name
}

func (k *Manager) https(r *http.Request) bool { return k.secure || r.TLS != nil }

func seconds(d time.Duration) int { return int(d / time.Second) }
