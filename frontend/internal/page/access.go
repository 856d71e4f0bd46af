package page

import (
	"net/http"
	"slices"
	"strings"

	"craftista/frontend/internal/redirect"
	"craftista/frontend/internal/session"
	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"
)

// personHandler answers a request of somebody who is signed in.
type personHandler func(w http.ResponseWriter, r *http.Request, who session.Session) error

// forPerson lets only people who are signed in reach next; others are led to
// sign-in and back to where they were. Whom auth then no longer holds signed in,
// because their session was ended elsewhere, is signed out here too.
func (s *site) forPerson(next personHandler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		who := session.From(r.Context())
		if who.State != session.SignedIn {
			return signInFirst(w, r, who.State, currentPage(r))
		}
		err := next(w, r, who)
		if fault.KindOf(err) == fault.Unauthenticated {
			return s.signInAgain(w, r, currentPage(r), err)
		}
		return err
	}
}

// forRoles is forPerson for those with one of the roles only. The token says so;
// auth, which has the last word, may say otherwise.
func (s *site) forRoles(next personHandler, roles ...string) web.Handler {
	return s.forPerson(func(w http.ResponseWriter, r *http.Request, who session.Session) error {
		if !slices.Contains(roles, who.User.Role) {
			return fault.New(fault.Forbidden, "only %ss can open this page", strings.Join(roles, "s and "))
		}
		return next(w, r, who)
	})
}

// forCurators is forRoles for those who may edit the catalogue.
func (s *site) forCurators(next personHandler) web.Handler {
	return s.forRoles(next, token.RoleCurator, token.RoleAdmin)
}

// toChangePassword answers GET /.well-known/change-password, by which password managers
// find the form (W3C, A Well-Known URL for Changing Passwords).
func toChangePassword(w http.ResponseWriter, r *http.Request) error {
	return redirectTo(w, r, "/account#password")
}

// signOut answers POST /logout.
func (s *site) signOut(w http.ResponseWriter, r *http.Request) error {
	s.sessions.SignOut(w, r)
	return redirectTo(w, r, "/")
}

// signInFirst leads a person who is not signed in to sign-in and back to next. Of
// whom nothing can be learnt now keeps their session: no form could help them.
func signInFirst(w http.ResponseWriter, r *http.Request, state session.State, next string) error {
	switch state {
	case session.Unknown:
		return signInUnavailable()
	case session.Expired:
		return redirectToSignIn(w, r, next, "expired")
	default:
		return redirectToSignIn(w, r, next, "")
	}
}

// signInAgain is signInFirst for a person whose token looked good and was refused.
func (s *site) signInAgain(w http.ResponseWriter, r *http.Request, next string, refused error) error {
	web.RecordError(r.Context(), refused)
	s.sessions.End(w, r)
	return redirectToSignIn(w, r, next, "expired")
}

// redirectToSignIn leads to /login, which says why and leads on to next.
func redirectToSignIn(w http.ResponseWriter, r *http.Request, next, why string) error {
	return redirectTo(w, r, withQuery("/login", "next", next, "why", why))
}

// currentPage is the page that the person is on.
func currentPage(r *http.Request) string {
	if r.Method == http.MethodGet && !fragment(r) {
		return redirect.Safe(r.URL.RequestURI())
	}
	return redirect.Referrer(r, "/account")
}

func signInUnavailable() *fault.Error {
	return fault.New(fault.Unavailable, "sign-in is not available right now")
}
