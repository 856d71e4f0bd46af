package page

import (
	"net/http"

	"craftista/frontend/internal/form"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

const (
	sessionDone = "That session was signed out."
	othersDone  = "All other sessions were signed out."
	knownDone   = "You had an account with this name and password already, so you are signed in to it. It keeps its " +
		"e-mail address: the one that you typed was not saved."
	passwordDone = "Your password was changed, and you are signed out on all other devices."
)

// doneKnown is a registration by somebody who has an account, with another e-mail address.
const doneKnown = "known"

// endSession answers POST /account/sessions/{id}/end. One that has ended already is
// no failure.
func (h account) endSession(w http.ResponseWriter, r *http.Request, who session.Session) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	if decimal(id) == who.User.Session {
		return h.signOut(w, r)
	}
	err = h.auth.EndSession(r.Context(), who.Token, id)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	return h.ended(w, r, who, "session", sessionDone)
}

// endOthers answers POST /account/sessions/end-others.
func (h account) endOthers(w http.ResponseWriter, r *http.Request, who session.Session) error {
	if err := h.auth.EndOtherSessions(r.Context(), who.Token); err != nil {
		return err
	}
	return h.ended(w, r, who, "others", othersDone)
}

// endAll answers POST /account/sessions/end-all: the others first, so that whoever
// is then signed out here is signed out everywhere.
func (h account) endAll(w http.ResponseWriter, r *http.Request, who session.Session) error {
	if err := h.auth.EndOtherSessions(r.Context(), who.Token); err != nil {
		return err
	}
	return h.signOut(w, r)
}

// ended shows the sessions that are left and says what was done.
func (h account) ended(w http.ResponseWriter, r *http.Request, who session.Session, done, text string) error {
	if !fragment(r) {
		return redirectTo(w, r, "/account?done="+done+"#sessions")
	}
	model, err := h.sessionsModel(r.Context(), who, text)
	if err != nil {
		return err
	}
	return send(w, r, http.StatusOK, view.SessionsSection(model))
}

// changePassword answers POST /account/password.
func (h account) changePassword(w http.ResponseWriter, r *http.Request, who session.Session) error {
	values, err := form.Read(r, "current_password", "new_password")
	if err != nil {
		return err
	}
	form, current, replacement := passwordForm(who.User.Name), values.Get("current_password"), values.Get("new_password")
	var checks fault.Checks
	checks.Require(current != "", "current_password", "is required")
	checks.Require(replacement != "", "new_password", "is required")
	if err = checks.Err(); err == nil {
		err = h.auth.ChangePassword(r.Context(), browser(r), who.Token, current, replacement)
	}
	switch {
	case err != nil:
		return h.refusePassword(w, r, who, form, err)
	case !fragment(r):
		return redirectTo(w, r, "/account?done=password#password")
	}
	form.Done = passwordDone
	sessions, err := h.sessionsModel(r.Context(), who, "")
	if err != nil {
		return err
	}
	return send(w, r, http.StatusOK, view.PasswordFragment(form, sessions))
}

// refusePassword shows the form again with what is wrong; err that the form cannot
// say goes on up.
func (h account) refusePassword(
	w http.ResponseWriter, r *http.Request, who session.Session, form view.SignForm, err error,
) error {
	kind := web.FaultOf(err).Kind
	switch kind {
	case fault.Conflict:
		form.Problem = "Your password was just changed on another device. Try again with it."
	case fault.Unavailable:
		form.Problem = "Sign-in is not available right now. Your password was not changed. Please try again in a moment."
	default: // see refuseForm
	}
	form.Fields[0].Focus = kind != fault.Invalid // where to go on from; what is invalid has the focus else
	return refuseForm(w, r, form, err, func(status int, form view.SignForm) error {
		return h.render(w, r, status, who, view.Account{Password: form, Email: emailForm("")})
	})
}
