package api

import (
	"net/http"

	"craftista/auth/internal/account"
	"craftista/shared/token"
	"craftista/shared/web"
)

type messageReply struct {
	Message string `json:"message"`
}

type emailRequest struct {
	Email string `json:"email"`
}

// forgot answers POST /api/auth/password/forgot, alike whether or not somebody has the address.
func (a accounts) forgot(w http.ResponseWriter, r *http.Request, in emailRequest) error {
	err := a.Recovery.Forgot(r.Context(), network(a.InternalKey, r), in.Email)
	return accepted(w, "if somebody has this address, a mail with a link is on its way", err)
}

type resetRequest struct {
	Token    string `json:"token"`
	Password string `json:"new_password"`
}

// reset answers POST /api/auth/password/reset.
func (a accounts) reset(w http.ResponseWriter, r *http.Request, in resetRequest) error {
	return noContent(w, a.Recovery.Reset(r.Context(), in.Token, in.Password))
}

type confirmRequest struct {
	Token string `json:"token"`
}

// confirmEmail answers POST /api/auth/email/confirm, for an address to prove and for a new one.
func (a accounts) confirmEmail(w http.ResponseWriter, r *http.Request, in confirmRequest) error {
	return noContent(w, a.Recovery.Confirm(r.Context(), in.Token))
}

// sendVerification answers POST /api/auth/email/verification.
func (a accounts) sendVerification(w http.ResponseWriter, r *http.Request) error {
	err := a.Recovery.SendVerification(r.Context(), token.UserFrom(r.Context()).ID)
	return accepted(w, "a mail with a link is on its way", err)
}

type emailChangeRequest struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// changeEmail answers POST /api/auth/email.
func (a accounts) changeEmail(w http.ResponseWriter, r *http.Request, in emailChangeRequest) error {
	err := a.Recovery.ChangeEmail(r.Context(), network(a.InternalKey, r), account.EmailChange{
		UserID: token.UserFrom(r.Context()).ID, Password: in.Password, Email: in.Email,
	})
	return accepted(w, "a mail with a link is on its way to the new address", err)
}

// sendReset answers POST /api/auth/users/{id}/reset.
func (a admin) sendReset(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	err = a.Recovery.SendReset(r.Context(), token.UserFrom(r.Context()).ID, id)
	return accepted(w, "a mail with a link is on its way", err)
}

// accepted answers 202, for what is done after the answer, unless there was an error.
func accepted(w http.ResponseWriter, message string, err error) error {
	if err != nil {
		return err
	}
	return web.Reply(w, http.StatusAccepted, messageReply{message})
}
