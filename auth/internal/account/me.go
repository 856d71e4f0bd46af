package account

import (
	"context"

	"craftista/shared/fault"
)

// Me is the person with the id of an access token. Somebody who has been disabled
// since, or does not exist, is an Unauthenticated fault.
func (a *Accounts) Me(ctx context.Context, id int64) (Person, error) {
	p, _, err := a.enabled(ctx, id)
	return p, err
}

// PasswordChange is what a person asks their password to be changed with.
type PasswordChange struct {
	UserID       int64
	ExceptFamily int64 // stays active; 0 is no family
	Current      string
	Replacement  string
}

// ChangePassword replaces the person's password and revokes all their families
// except one (OWASP ASVS 4.0 requirements 2.1.5, 2.1.6 and
// 3.3.3). It checks:
//   - that the person exists and is not disabled, whatever the token says
//   - the new password by the rules of registration
//   - the number of failures before: see Throttle
//   - the current password, like SignIn
//   - that the password is still the one that was checked, as it is replaced
//
// A wrong current password and a broken rule are Invalid faults.
func (a *Accounts) ChangePassword(ctx context.Context, from string, in PasswordChange) error {
	p, old, err := a.enabled(ctx, in.UserID)
	if err != nil {
		return err
	}
	var c fault.Checks
	flaw := Registration{Username: p.Username, Email: p.Email, Password: in.Replacement}.passwordFlaw()
	c.Require(flaw == "", "new_password", flaw)
	if err := c.Err(); err != nil {
		return err
	}
	if err := a.askPassword(ctx, from, p, old, "current_password", in.Current); err != nil {
		return err
	}
	hash, err := a.reserved.Hash(ctx, in.Replacement)
	if err != nil {
		return err
	}
	if err := a.store.SetPassword(ctx, p.ID, old, hash, in.ExceptFamily); err != nil {
		return err
	}
	a.log.InfoContext(ctx, "password changed", "user_id", p.ID)
	return nil
}

// enabled is the person with that id, if they may still be signed in.
func (a *Accounts) enabled(ctx context.Context, id int64) (Person, string, error) {
	p, hash, err := a.store.Person(ctx, id)
	if fault.KindOf(err) == fault.NotFound || err == nil && p.Disabled {
		refused := fault.Error{
			Kind: fault.Unauthenticated, Code: "invalid_token", Message: "this account can no longer sign in",
		}
		return Person{}, "", refused.Because(err)
	}
	return p, hash, err
}
