package page

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/form"
	"craftista/frontend/internal/redirect"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
)

// consentPath is where auth sends people whom an application wants something of,
// with the parameters of its authorization request (RFC 6749 section 4.1.1).
const consentPath = "/authorize"

// errApplication is a request that auth refuses or that is too long to come back to.
// The log says why; the person can do nothing about it.
var errApplication = &fault.Error{
	Kind: fault.BadRequest, Code: "application_mistake", Message: "the application's request is wrong",
}

// consent asks people whether an application may act for them.
type consent struct {
	*site
	auth backend.Auth
}

// ask answers GET /authorize: it asks the person, or leads on at once where the
// application wants nobody asked. A request that auth does not hold good is shown as a
// failure and leads nowhere else.
func (h consent) ask(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.RawQuery
	who := session.From(r.Context())
	if who.State == session.Unknown {
		return signInUnavailable()
	}
	asked, err := h.auth.Consent(r.Context(), who.Token, query)
	switch {
	case fault.KindOf(err) == fault.BadRequest:
		return errApplication.Because(err)
	case err != nil:
		return err
	case asked.RedirectTo != "":
		return leave(w, r, asked.RedirectTo)
	case who.State != session.SignedIn:
		return signInForConsent(w, r, query, who.State)
	}
	host, err := allowFormTarget(w, asked.RedirectURI)
	if err != nil {
		return err
	}
	return h.page(w, r, http.StatusOK, "Allow access?", view.ConsentPage(view.Consent{
		Application: asked.ClientName, Person: who.User.Name, Host: host, Wishes: wishes(asked.Scopes),
		Action: consentPath, Query: query, Art: h.drawing("masu-box", "3"),
	}))
}

// decide answers POST /authorize: it carries the decision to auth, which checks
// the request again, and leads the browser where auth says.
func (h consent) decide(w http.ResponseWriter, r *http.Request) error {
	values, err := form.Read(r, "query", "decision")
	if err != nil {
		return err
	}
	query, decision := values.Get("query"), values.Get("decision")
	if decision != "allow" && decision != "deny" {
		return fault.New(fault.BadRequest, "decision must be allow or deny")
	}
	who := session.From(r.Context())
	if who.State != session.SignedIn {
		return signInForConsent(w, r, query, who.State)
	}
	to, err := h.auth.Decide(r.Context(), who.Token, query, decision == "allow")
	switch next := consentPath + "?" + query; fault.KindOf(err) {
	case fault.None:
	case fault.Conflict:
		return redirectToSignIn(w, r, next, "again")
	case fault.Unauthenticated: // signed out elsewhere, since the token was signed
		return h.signInAgain(w, r, next, err)
	case fault.BadRequest:
		return errApplication.Because(err)
	default:
		return err
	}
	return leave(w, r, to)
}

// leave leads to the application.
func leave(w http.ResponseWriter, r *http.Request, to string) error {
	if _, err := allowFormTarget(w, to); err != nil {
		return err
	}
	return redirectTo(w, r, to)
}

// signInForConsent leads to sign-in and back to the application's request. It
// refuses one that sign-in could not bring back whole: to come back to another
// one, or to none, would be worse.
func signInForConsent(w http.ResponseWriter, r *http.Request, query string, state session.State) error {
	next := consentPath + "?" + query
	if redirect.Safe(next) != next && state != session.Unknown {
		return errApplication
	}
	return signInFirst(w, r, state, next)
}

// plainHost is a host that means itself in a policy. There a star, a semicolon
// or a comma, which URLs may have, would say more.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9._-]+(?::[0-9]+)?$`)

// allowFormTarget lets the form of this response, and what answers it, lead to the
// origin of uri, which auth holds to be the application's, and returns its host, or an
// app's own scheme: Chromium applies form-action to the redirect after a form too, and
// to all that follow it. It checks:
//   - that the scheme is http or https, or has a dot as an app's own has (RFC 8252
//     section 7.1)
//   - that nobody is named before the host
//   - that the host is of letters, digits, dots, dashes and underscores
func allowFormTarget(w http.ResponseWriter, uri string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", fmt.Errorf("auth leads to no address: %w", err)
	}
	host, source := u.Host, u.Scheme+"://"+u.Host
	if strings.Contains(u.Scheme, ".") {
		host, source = u.Scheme, u.Scheme+":"
	} else if u.Scheme != "https" && u.Scheme != "http" || u.User != nil || !plainHost.MatchString(host) {
		return "", errors.New("auth leads to an address that no policy can name")
	}
	allowed := strings.Replace(contentSecurityPolicy, "form-action 'self'", "form-action 'self' "+source, 1)
	w.Header().Set("Content-Security-Policy", allowed)
	return host, nil
}

// wishes says in plain words what the scopes let an application do; one that has
// no words here is shown by its name.
func wishes(scopes []string) []string {
	words := map[string]string{
		"openid": "know who you are", "profile": "see your username", "email": "see your e-mail address",
		"votes:read": "see your votes", "votes:write": "vote and remove votes for you",
	}
	said := make([]string, 0, len(scopes))
	for _, scope := range scopes {
		if text, ok := words[scope]; ok {
			said = append(said, text)
		} else {
			said = append(said, "use “"+scope+"”")
		}
	}
	return said
}
