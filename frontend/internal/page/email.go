package page

import (
	"net/http"
	"slices"

	"craftista/frontend/internal/form"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

const (
	emailDone        = "We sent a link to the new address. Open it to finish the change."
	verificationDone = "We sent you an e-mail with a link."
)

// emailForm is the form of /account for another address.
func emailForm(email string) view.SignForm {
	return view.SignForm{
		ID: "email-form", Action: "/account/email", Submit: "Change e-mail",
		Fields: []*view.Field{
			{Name: "email", Label: "New e-mail", Type: "email", Value: email, Autocomplete: "email"},
			{Name: "email_password", Label: "Password", Type: "password", Autocomplete: "current-password"},
		},
	}
}

// changeEmail answers POST /account/email.
func (h account) changeEmail(w http.ResponseWriter, r *http.Request, who session.Session) error {
	values, err := form.Read(r, "email", "email_password")
	if err != nil {
		return err
	}
	form := emailForm(values.Get("email"))
	err = h.auth.ChangeEmail(r.Context(), browser(r), who.Token, values.Get("email"), values.Get("email_password"))
	switch {
	case err != nil:
		return h.refuseEmail(w, r, who, form, err)
	case !fragment(r):
		return redirectTo(w, r, "/account?done=email#email-panel")
	}
	form = emailForm("")
	form.Done = emailDone
	return send(w, r, http.StatusOK, view.SignFormView(form))
}

// refuseEmail shows the form again with what is wrong; err that the form cannot say goes on up.
func (h account) refuseEmail(
	w http.ResponseWriter, r *http.Request, who session.Session, form view.SignForm, err error,
) error {
	f := *web.FaultOf(err)
	if f.Kind == fault.Unavailable {
		form.Problem = mailAway
	}
	f.Fields = slices.Clone(f.Fields)
	for i, broken := range f.Fields { // the page has other passwords
		if broken.Field == "password" {
			f.Fields[i].Field = "email_password"
		}
	}
	form.Fields[1].Focus = f.Kind != fault.Invalid
	return refuseForm(w, r, form, f.Because(err), func(status int, form view.SignForm) error {
		return h.render(w, r, status, who, view.Account{Email: form, Password: passwordForm(who.User.Name)})
	})
}

// sendVerification answers POST /account/email/verification. An address that is confirmed is no failure.
func (h account) sendVerification(w http.ResponseWriter, r *http.Request, who session.Session) error {
	err := h.auth.SendVerification(r.Context(), who.Token)
	switch {
	case err != nil && fault.KindOf(err) != fault.Conflict:
		return err
	case fragment(r):
		return send(w, r, http.StatusOK, view.Notice(verificationDone))
	}
	return redirectTo(w, r, "/account?done=verification#profile")
}
