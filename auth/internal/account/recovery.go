package account

import (
	"context"
	"log/slog"
	"time"

	"craftista/auth/internal/mail"
	"craftista/auth/internal/secrets"
	"craftista/shared/fault"
)

// mailTokenLife is how long the link in a mail works.
const mailTokenLife = time.Hour

// Purpose is what a token in a mail is good for, and nothing else.
type Purpose string

// The purposes.
const (
	PurposeReset  Purpose = "reset"  // another password
	PurposeVerify Purpose = "verify" // to prove the address of the account
	PurposeChange Purpose = "change" // to prove another one, which then is the account's
)

// MailToken is what is stored of a token in a mail.
type MailToken struct {
	UserID    int64
	Purpose   Purpose
	Hash      []byte // SHA-256
	Email     string // where it was sent
	ExpiresAt time.Time
}

// MailStore stores the tokens of mails. One that is unknown, has expired or is of another purpose, whose person is
// disabled, and, but for a change, whose address is not the person's any more, is a NotFound fault.
type MailStore interface {
	// SaveMailToken replaces the person's token of that purpose.
	SaveMailToken(ctx context.Context, t MailToken) error
	// PersonByReset is the person with that token for a reset, which is as good as before.
	PersonByReset(ctx context.Context, hash []byte, now time.Time) (Person, error)
	// ResetPassword uses a token for a reset up: it sets the person's password, marks the address as verified, revokes all
	// families and deletes the other tokens of mails. All of it happens or nothing.
	ResetPassword(ctx context.Context, hash []byte, password string, now time.Time) error
	// ConfirmEmail uses a token up: its address is the person's, and verified. If somebody else has it, that is a Conflict
	// fault.
	ConfirmEmail(ctx context.Context, hash []byte, now time.Time) (Person, error)
}

// Recovery is what people do by mail: they choose a password after they forgot theirs, and prove an address. It is
// safe for concurrent use.
type Recovery struct {
	accounts *Accounts
	store    MailStore
	mails    *mail.Queue
	now      func() time.Time
}

// NewRecovery returns the recovery of those accounts.
func NewRecovery(accounts *Accounts, store MailStore, mails *mail.Queue, now func() time.Time) *Recovery {
	return &Recovery{accounts: accounts, store: store, mails: mails, now: now}
}

// Forgot sends the person with that address a link to choose another password, asked for from the network from. It
// does the same whether or not there is such a person: it counts, and leaves the rest to the queue. Errors are
// Throttled and those of mail.Queue.
func (r *Recovery) Forgot(ctx context.Context, from, email string) error {
	if !validEmail(email) {
		return fault.Broken("email", emailRule)
	}
	if err := r.accounts.throttle.RequestMail(ctx, from); err != nil {
		return err
	}
	return r.mails.Enqueue(ctx, "reset", func(ctx context.Context) (mail.Mail, error) {
		p, hash, err := r.accounts.store.Find(ctx, email)
		switch {
		case fault.KindOf(err) == fault.NotFound || err == nil && hash == "":
			return mail.Mail{}, mail.SkipError("unknown")
		case err != nil:
			return mail.Mail{}, err
		}
		if err := r.allow(ctx, PurposeReset, p.Email); err != nil {
			return mail.Mail{}, err
		}
		return r.reset(ctx, p)
	})
}

// SendReset sends the person such a link on behalf of the admin with the id by, however many they got before. Nobody,
// and somebody who is disabled, is a NotFound fault.
func (r *Recovery) SendReset(ctx context.Context, by, id int64) error {
	p, _, err := r.accounts.store.Person(ctx, id)
	switch {
	case err != nil:
		return err
	case p.Disabled:
		return fault.New(fault.NotFound, "nobody who may sign in has the id %d", id)
	}
	r.log().WarnContext(ctx, "password reset sent by an admin", "user_id", id, "by", by)
	return r.mails.Enqueue(ctx, "reset", func(ctx context.Context) (mail.Mail, error) { return r.reset(ctx, p) })
}

func (r *Recovery) reset(ctx context.Context, p Person) (mail.Mail, error) {
	token, err := r.issue(ctx, PurposeReset, p.ID, p.Email)
	return r.mails.Reset(p.Email, p.Username, token), err
}

// Reset sets the password of the person whose mail brought the token. It checks:
//   - the token, by its hash, which works once: see MailStore
//   - the new password by the rules of registration; one that breaks them does not use the token up
//
// All sign-ins of the person end. A token that is not good and a broken rule are Invalid faults.
func (r *Recovery) Reset(ctx context.Context, token, password string) error {
	hash := secrets.Digest(token)
	p, err := r.store.PersonByReset(ctx, hash, r.now())
	if err != nil {
		return badToken(err)
	}
	if flaw := (Registration{Username: p.Username, Email: p.Email, Password: password}).passwordFlaw(); flaw != "" {
		return fault.Broken("new_password", "%s", flaw)
	}
	hashed, err := r.accounts.hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	if err := r.store.ResetPassword(ctx, hash, hashed, r.now()); err != nil {
		return badToken(err)
	}
	r.log().InfoContext(ctx, "password reset", "user_id", p.ID)
	r.tellChanged(ctx, p)
	return nil
}

// tellChanged tells the person that their password was changed. That it cannot be told is logged by the queue, and
// undoes nothing.
func (r *Recovery) tellChanged(ctx context.Context, p Person) {
	_ = r.mails.Enqueue(ctx, "changed", func(context.Context) (mail.Mail, error) {
		return r.mails.Changed(p.Email, p.Username), nil
	})
}

// ChangePassword is Accounts.ChangePassword, of which it tells the person by mail.
func (r *Recovery) ChangePassword(ctx context.Context, from string, in PasswordChange) error {
	if err := r.accounts.ChangePassword(ctx, from, in); err != nil {
		return err
	}
	if p, err := r.accounts.Me(ctx, in.UserID); err == nil { // else they are disabled by now
		r.tellChanged(ctx, p)
	}
	return nil
}

// issue stores a new token.
func (r *Recovery) issue(ctx context.Context, purpose Purpose, userID int64, email string) (token string, err error) {
	token = secrets.New()
	return token, r.store.SaveMailToken(ctx, MailToken{
		UserID: userID, Purpose: purpose, Hash: secrets.Digest(token), Email: email, ExpiresAt: r.now().Add(mailTokenLife),
	})
}

// allow skips a mail beyond those that an address gets in an hour.
func (r *Recovery) allow(ctx context.Context, purpose Purpose, to string) error {
	ok, err := r.accounts.throttle.Mail(ctx, string(purpose), to)
	if err == nil && !ok {
		return mail.SkipError("throttled")
	}
	return err
}

func (r *Recovery) log() *slog.Logger { return r.accounts.log }

// badToken turns a NotFound fault of the store into the one refusal.
func badToken(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		refused := &fault.Error{
			Kind: fault.Invalid, Message: "the link does not work any more",
			Fields: []fault.Field{{Field: "token", Message: "is used up, too old, or not one that a mail brought"}},
		}
		return refused.Because(err)
	}
	return err
}
