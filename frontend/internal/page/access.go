package page

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"craftista/frontend/internal/redirect"
	"craftista/frontend/internal/session"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// personal answers a request of somebody who is signed in.
type personal func(w http.ResponseWriter, r *http.Request, who session.Session) error

// forPerson lets only people who are signed in reach next; others are led to
// sign-in and back to where they were. Whom auth then no longer holds signed in,
// because their session was ended elsewhere, is signed out here too.
func (s *site) forPerson(next personal) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		who := session.From(r.Context())
		switch who.State {
		case session.Unknown:
			return signInUnavailable()
		case session.SignedOut:
			return redirectToSignInFrom(w, r, "")
		case session.Expired:
			return redirectToSignInFrom(w, r, "expired")
		case session.SignedIn:
		}
		err := next(w, r, who)
		if fault.KindOf(err) == fault.Unauthenticated {
			web.NoteFailure(r.Context(), err)
			s.sessions.End(w, r)
			return redirectToSignInFrom(w, r, "expired")
		}
		return err
	}
}

// forRoles is forPerson for those with one of the roles only. The token says so;
// auth, which has the last word, may know better.
func (s *site) forRoles(next personal, roles ...string) web.Handler {
	return s.forPerson(func(w http.ResponseWriter, r *http.Request, who session.Session) error {
		if !slices.Contains(roles, who.User.Role) {
			return fault.New(fault.Forbidden, "it is for %ss", strings.Join(roles, "s and "))
		}
		return next(w, r, who)
	})
}

// leadToSignInFrom leads to /login and from there back to the page the person is
// on.
func redirectToSignInFrom(w http.ResponseWriter, r *http.Request, why string) error {
	back := redirect.Referrer(r, "/account")
	if r.Method == http.MethodGet && !fragment(r) {
		back = redirect.Safe(r.URL.RequestURI())
	}
	query := url.Values{"next": {back}}
	if why != "" {
		query.Set("why", why)
	}
	return redirectTo(w, r, "/login?"+query.Encode())
}
