package page

import (
	"net/http"
	"net/url"
	"strings"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/form"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// whyCookies is a sign-in's own request of the form: it shows if cookies do not work.
const whyCookies = "cookies"

// maxAgent is how much of a User-Agent is passed on, in bytes.
const maxAgent = 512

// signForms are the forms to sign in and to register.
type signForms struct {
	*site
	auth      backend.Auth
	catalogue backend.Catalogue
}

// blank answers GET /login and GET /register with the empty form; who is signed in goes on
// at once, unless an application wants them to sign in again. A sign-in comes by here too,
// see goOn.
func (h signForms) blank(form func(url.Values) view.SignForm) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		form, reason := form(url.Values{"next": {r.URL.Query().Get("next")}}), r.URL.Query().Get("why")
		cookiesWork := reason == whyCookies && !h.sessions.IsAnonymous(r)
		if cookiesWork || session.From(r.Context()).State == session.SignedIn && reason != "again" {
			return redirectTo(w, r, form.Next)
		}
		return h.showSign(w, r, http.StatusOK, form)
	}
}

// login answers POST /login.
func (h signForms) login(w http.ResponseWriter, r *http.Request) error {
	values, err := form.Read(r, "username", "password", "next")
	if err != nil {
		return err
	}
	form := loginForm(values)
	var checks fault.Checks
	checks.Require(strings.TrimSpace(values.Get("username")) != "", "username", "is required")
	checks.Require(values.Get("password") != "", "password", "is required")
	if err := checks.Err(); err != nil {
		return h.refuse(w, r, form, err)
	}
	grant, err := h.signIn(w, r, values.Get("username"), values.Get("password"))
	if err != nil {
		return h.refuse(w, r, form, err)
	}
	h.castVote(w, r, grant, form.Next)
	return goOn(w, r, form.Next)
}

// register answers POST /register: it makes the account and signs in. Where the name is
// taken by whoever types this very password, they have an account: the form was sent
// twice, or they forgot, and then they are told if it has another e-mail address.
func (h signForms) register(w http.ResponseWriter, r *http.Request) error {
	values, err := form.Read(r, "username", "email", "password", "next")
	if err != nil {
		return err
	}
	form, password := registerForm(values), values.Get("password")
	username, email := strings.TrimSpace(values.Get("username")), strings.TrimSpace(values.Get("email"))
	err = h.auth.Register(r.Context(), browser(r), username, email, password)
	taken := fault.KindOf(err) == fault.Conflict
	if err != nil && !taken {
		return h.refuse(w, r, form, err)
	}
	grant, failed := h.signIn(w, r, username, password)
	switch {
	case failed != nil && taken:
		return h.refuse(w, r, form, err)
	case failed != nil:
		web.RecordError(r.Context(), failed)
		return redirectToSignIn(w, r, form.Next, "welcome")
	}
	h.castVote(w, r, grant, form.Next)
	if taken && h.hasAnotherEmail(r, grant, email) {
		return goOn(w, r, "/account?done="+doneKnown)
	}
	return goOn(w, r, form.Next)
}

func (h signForms) signIn(w http.ResponseWriter, r *http.Request, username, password string) (backend.Grant, error) {
	grant, err := h.auth.Login(r.Context(), browser(r), session.From(r.Context()).Token, username, password)
	if err == nil {
		h.sessions.Start(w, r, grant)
	}
	return grant, err
}

// hasAnotherEmail reports whether who was signed in has another e-mail address than
// they typed, as far as that can be learnt.
func (h signForms) hasAnotherEmail(r *http.Request, grant backend.Grant, typed string) bool {
	p, err := h.auth.Me(r.Context(), grant.AccessToken)
	if err != nil {
		web.RecordError(r.Context(), err)
		return false
	}
	return !strings.EqualFold(p.Email, typed)
}

// goOn leads to next by way of /login, which finds out whether the browser kept the
// cookies: without them a page that needs a person would lead back to the sign-in.
func goOn(w http.ResponseWriter, r *http.Request, next string) error {
	return redirectToSignIn(w, r, next, whyCookies)
}

// browser is where the person's browser connects from and what it says it is.
func browser(r *http.Request) backend.Browser {
	agent := r.UserAgent()
	return backend.Browser{Address: web.ClientAddress(r), Agent: agent[:min(len(agent), maxAgent)]}
}

// refuse shows the form again with what is wrong; err that the form cannot say
// goes on up.
func (h signForms) refuse(w http.ResponseWriter, r *http.Request, form view.SignForm, err error) error {
	switch web.FaultOf(err).Kind {
	case fault.Unauthenticated:
		markPair(&form, "Wrong username or password.")
	case fault.Conflict:
		markPair(&form, "This username or e-mail is already taken. If it is yours, sign in instead.")
	case fault.Unavailable:
		form.Problem = "Sign-in is not available right now. Please try again in a moment."
	default: // see refuseForm
	}
	return refuseForm(w, r, form, err, func(status int, form view.SignForm) error {
		return h.showSign(w, r, status, form)
	})
}

func (h signForms) showSign(w http.ResponseWriter, r *http.Request, status int, form view.SignForm) error {
	model := view.Sign{Form: form, Why: h.why(r), Art: h.drawing("crane", "0")}
	about := "Sign in to Craftista to vote for folded pieces, and to see the ones you love in one place."
	if form.ID == "login-form" {
		model.Heading, model.Other, model.OtherLabel = "Sign in", "New here?", "Create an account"
		model.ForgotURL = "/forgot"
		model.OtherURL = withNext("/register", form.Next)
	} else {
		model.Heading, model.Other, model.OtherLabel = "Create an account", "Already have an account?", "Sign in"
		model.OtherURL = withNext("/login", form.Next)
		model.Art = h.drawing("butterfly", "5")
		about = "Create an account at Craftista, an origami gallery, with a name, an e-mail address and a password."
	}
	if session.From(r.Context()).State == session.Expired { // and this page says so, see why
		h.sessions.End(w, r)
	}
	social := h.openGraph(r, "website", model.Heading, about, backend.Product{})
	return h.pageWithOpenGraph(w, r, status, model.Heading, social, view.SignPage(model))
}

// why says what led here, if it was not the person's own wish.
func (h signForms) why(r *http.Request) string {
	query, state := r.URL.Query(), session.From(r.Context()).State
	switch {
	case state == session.Unknown:
		return "Sign-in is not responding right now, so we cannot tell whether you are signed in."
	case query.Get("why") == whyCookies:
		return "Your browser did not keep the cookies that sign you in. Allow cookies for this site, then sign in again."
	case query.Get("why") == "form":
		return "Sign in here, then return to your form in the other tab."
	case state == session.Expired, query.Get("why") == "expired":
		return "Your session has expired. Sign in again to continue where you were."
	case query.Get("why") == "welcome":
		return "Your account was created. Sign in to use it."
	case query.Get("why") == "reset":
		return "Your password was changed. Sign in with the new one."
	case query.Get("why") == "deleted":
		return "Your account and your votes were deleted."
	case query.Get("why") == "again":
		return "The application asks you to sign in again before you decide."
	case strings.HasPrefix(query.Get("next"), consentPath+"?"):
		return "An application asks for access to your account. Sign in to decide."
	case strings.HasPrefix(query.Get("next"), "/account"), strings.HasPrefix(query.Get("next"), "/admin"):
		return "Please sign in to continue."
	case h.votesAt(r, query.Get("next")) != 0:
		return "Sign in to vote. Your vote is counted as soon as you are signed in."
	case query.Get("next") != "":
		return "Sign in to continue where you were."
	default:
		return ""
	}
}
