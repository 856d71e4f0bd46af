package page

import (
	"net/http"
	"slices"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/form"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// recovery is what people do by the links in mails. Opening such a link changes nothing: programs that look at mails
// open them too. The form behind it does.
type recovery struct {
	*site
	auth backend.Auth
}

const (
	forgotDone  = "If an account has this address, we sent an e-mail with a link. The link works for one hour."
	badLink     = "This link no longer works: it was used, is older than an hour, or a newer one was sent."
	mailAway    = "We cannot send e-mail right now. Please try again later."
	authAway    = "Sign-in is not available right now. Nothing was changed. Please try again in a moment."
	confirmDone = "Your e-mail address is confirmed."
)

// forgotForm asks for the address.
func forgotForm(email string) view.SignForm {
	return view.SignForm{
		ID: "forgot-form", Action: "/forgot", Submit: "Send the link",
		Fields: []*view.Field{{Name: "email", Label: "E-mail", Type: "email", Value: email, Autocomplete: "email"}},
	}
}

// resetForm asks for a new password.
func resetForm(token string) view.SignForm {
	return view.SignForm{
		ID: "reset-form", Action: "/reset", Submit: "Change password", Token: token,
		Fields: []*view.Field{newPasswordField("new_password", "New password")},
	}
}

// confirmForm asks nothing.
func confirmForm(token string) view.SignForm {
	return view.SignForm{ID: "confirm-form", Action: "/confirm", Submit: "Confirm this address", Token: token}
}

// forgot answers GET /forgot.
func (h recovery) forgot(w http.ResponseWriter, r *http.Request) error {
	form := forgotForm("")
	if r.URL.Query().Get("done") == "sent" {
		form.Done = forgotDone
	}
	return h.show(w, r, http.StatusOK, form)
}

// sendLink answers POST /forgot.
func (h recovery) sendLink(w http.ResponseWriter, r *http.Request) error {
	values, err := form.Read(r, "email")
	if err != nil {
		return err
	}
	err = h.auth.Forgot(r.Context(), browser(r), values.Get("email"))
	switch {
	case err != nil:
		return h.refuse(w, r, forgotForm(values.Get("email")), err, mailAway)
	case !fragment(r):
		return redirectTo(w, r, "/forgot?done=sent")
	}
	form := forgotForm("")
	form.Done = forgotDone
	return send(w, r, http.StatusOK, view.SignFormView(form))
}

// reset answers GET /reset.
func (h recovery) reset(w http.ResponseWriter, r *http.Request) error {
	return h.show(w, r, http.StatusOK, resetForm(r.URL.Query().Get("token")))
}

// setPassword answers POST /reset.
func (h recovery) setPassword(w http.ResponseWriter, r *http.Request) error {
	values, err := form.Read(r, "token", "new_password")
	if err != nil {
		return err
	}
	if err := h.auth.Reset(r.Context(), values.Get("token"), values.Get("new_password")); err != nil {
		return h.refuse(w, r, resetForm(values.Get("token")), err, authAway)
	}
	h.sessions.End(w, r) // auth has ended it
	return redirectTo(w, r, "/login?why=reset")
}

// confirm answers GET /confirm.
func (h recovery) confirm(w http.ResponseWriter, r *http.Request) error {
	form := confirmForm(r.URL.Query().Get("token"))
	if r.URL.Query().Get("done") == "confirmed" {
		form.Done, form.Submit = confirmDone, ""
	}
	return h.show(w, r, http.StatusOK, form)
}

// confirmAddress answers POST /confirm.
func (h recovery) confirmAddress(w http.ResponseWriter, r *http.Request) error {
	values, err := form.Read(r, "token")
	if err != nil {
		return err
	}
	if err := h.auth.ConfirmEmail(r.Context(), values.Get("token")); err != nil {
		return h.refuse(w, r, confirmForm(values.Get("token")), err, authAway)
	}
	return redirectTo(w, r, "/confirm?done=confirmed")
}

// refuse shows the form again with what is wrong, which is away if auth cannot do it.
func (h recovery) refuse(w http.ResponseWriter, r *http.Request, form view.SignForm, err error, away string) error {
	f := web.FaultOf(err)
	switch {
	case f.Kind == fault.Unavailable:
		form.Problem = away
	case f.Kind == fault.Conflict:
		form.Problem = "Another account has this address."
	case slices.ContainsFunc(f.Fields, func(broken fault.Field) bool { return broken.Field == "token" }):
		form.Problem = badLink
		err = fault.New(fault.Conflict, "the link is not good").Because(err) // no field to mend
	}
	return refuseForm(w, r, form, err, func(status int, form view.SignForm) error { return h.show(w, r, status, form) })
}

// show sends the page of the form. A token in the address is told to no other page.
func (h recovery) show(w http.ResponseWriter, r *http.Request, status int, form view.SignForm) error {
	model := view.Sign{
		Heading: "Choose a new password", Why: "You will be signed out on all devices.",
		Other: "The link does not work?", OtherLabel: "Request a new one", OtherURL: "/forgot",
		Form: form, Art: h.drawing("paper-plane", "3"),
	}
	switch form.Action {
	case "/forgot":
		model.Heading, model.Why = "Forgot your password?", "We send you a link to choose a new one."
		model.Other, model.OtherLabel, model.OtherURL = "Remembered it?", "Sign in", "/login"
	case "/confirm":
		model.Heading, model.Why = "Confirm your e\u2011mail address", ""
		model.Other, model.OtherLabel, model.OtherURL = "Need another link?", "Your account", "/account"
	}
	if r.Method != http.MethodPost && form.Action != "/forgot" {
		w.Header().Set("Referrer-Policy", "no-referrer")
	}
	return h.page(w, r, status, model.Heading, view.SignPage(model))
}
