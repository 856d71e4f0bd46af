package account

import (
	"context"
	"strconv"
	"strings"

	"craftista/auth/internal/mail"
	"craftista/auth/internal/secrets"
	"craftista/shared/fault"
)

// emailRule is what a text has to be to pass validEmail.
const emailRule = "does not look like an e-mail address"

// Welcome sends a person who has just registered a link to prove their address. Without mail they do without.
func (r *Recovery) Welcome(ctx context.Context, p Person) {
	_ = r.sendVerification(ctx, p)
}

// SendVerification sends the person a link to prove their address. One that is proved is a Conflict fault; other errors
// are those of Me and of mail.Queue.
func (r *Recovery) SendVerification(ctx context.Context, userID int64) error {
	p, err := r.accounts.Me(ctx, userID)
	switch {
	case err != nil:
		return err
	case p.Verified:
		return fault.New(fault.Conflict, "the e-mail address is confirmed already")
	}
	return r.sendVerification(ctx, p)
}

func (r *Recovery) sendVerification(ctx context.Context, p Person) error {
	return r.mails.Enqueue(ctx, "verify", func(ctx context.Context) (mail.Mail, error) {
		if err := r.allow(ctx, PurposeVerify, p.Email); err != nil {
			return mail.Mail{}, err
		}
		token, err := r.issue(ctx, PurposeVerify, p.ID, p.Email)
		return r.mails.Verify(p.Email, p.Username, token), err
	})
}

// EmailChange is what a person asks their address to be changed with.
type EmailChange struct {
	UserID   int64
	Password string
	Email    string
}

// ChangeEmail sends a link to the new address, which becomes the account's when it is confirmed, and tells the present
// one. Whether somebody has that address already shows in neither the answer nor its time. It checks:
//   - that the person exists and is not disabled, whatever the token says
//   - the new address by the rules of registration, and that it is another
//   - the number of failures before, and the password: as for a change of it
//   - how many mails were asked for from that network
//
// A broken rule and a wrong password are Invalid faults; other errors are those of mail.Queue.
func (r *Recovery) ChangeEmail(ctx context.Context, from string, in EmailChange) error {
	p, hash, err := r.accounts.enabled(ctx, in.UserID)
	if err != nil {
		return err
	}
	var c fault.Checks
	c.Require(validEmail(in.Email), "email", emailRule)
	c.Require(!strings.EqualFold(in.Email, p.Email), "email", "is your address already")
	if err := c.Err(); err != nil {
		return err
	}
	if err := r.accounts.askPassword(ctx, from, p, hash, "password", in.Password); err != nil {
		return err
	}
	if err := r.accounts.throttle.RequestMail(ctx, from); err != nil {
		return err
	}
	err = r.mails.Enqueue(ctx, "change", func(ctx context.Context) (mail.Mail, error) {
		_, _, err := r.accounts.store.Find(ctx, in.Email)
		switch {
		case err == nil:
			return mail.Mail{}, mail.SkipError("taken")
		case fault.KindOf(err) != fault.NotFound:
			return mail.Mail{}, err
		}
		if err := r.allow(ctx, PurposeChange, in.Email); err != nil {
			return mail.Mail{}, err
		}
		token, err := r.issue(ctx, PurposeChange, p.ID, in.Email)
		return r.mails.Change(in.Email, p.Username, token), err
	})
	if err != nil {
		return err
	}
	r.log().InfoContext(ctx, "change of e-mail asked for", "user_id", p.ID)
	return r.mails.Enqueue(ctx, "changing", func(ctx context.Context) (mail.Mail, error) {
		return r.mails.Changing(p.Email, p.Username), r.allow(ctx, "changing", p.Email)
	})
}

// Confirm proves the address that the token was sent to. One that is not good is an Invalid fault; that somebody else
// has the address by now, a Conflict fault.
func (r *Recovery) Confirm(ctx context.Context, token string) error {
	p, err := r.store.ConfirmEmail(ctx, secrets.Digest(token), r.now())
	if err != nil {
		return badToken(err)
	}
	r.log().InfoContext(ctx, "e-mail confirmed", "user_id", p.ID)
	return nil
}

// askPassword is an Invalid fault of the field unless the password is that of the person, whose hash is given. Tries
// are throttled, see Throttle.
func (a *Accounts) askPassword(ctx context.Context, from string, p Person, hash, field, password string) error {
	ok, err := a.try(ctx, a.reserved, "change:"+strconv.FormatInt(p.ID, 10), from, hash, password)
	if err != nil || ok {
		return err
	}
	a.log.InfoContext(ctx, "password refused", "user_id", p.ID)
	return fault.Broken(field, "is wrong")
}
