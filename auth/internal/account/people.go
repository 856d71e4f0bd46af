package account

import (
	"context"
	"slices"
	"strconv"

	"craftista/shared/fault"
	"craftista/shared/token"
)

// MaxPage is the most people on one page, and MaxSearch the longest text to
// search for, in bytes: an e-mail address.
const (
	MaxPage   = 100
	MaxSearch = 254
)

// Page says which people to list.
type Page struct {
	Search string // a part of the name or the address; "" is everybody
	After  int64  // the last id of the page before; 0 is the first page
	Limit  int    // 1 to MaxPage
}

// Me is the person who holds a token with that id. Somebody who has been
// disabled since, or is gone, is an Unauthenticated fault.
func (a *Accounts) Me(ctx context.Context, id int64) (Person, error) {
	p, _, err := a.present(ctx, id)
	return p, err
}

// ChangePassword replaces the person's password and ends all their sign-ins but
// the family keep, 0 for none (OWASP ASVS 4.0 requirements 2.1.5, 2.1.6 and
// 3.3.3). It checks:
//   - that the person is there and not disabled, whatever the token says
//   - the new password by the rules of registration
//   - that nobody guesses: see Throttle
//   - the current password, like SignIn
//   - that the password is still the one that was checked, as it is replaced
//
// A wrong current password and a broken rule are Invalid faults.
func (a *Accounts) ChangePassword(ctx context.Context, from string, id, keep int64, current, replacement string) error {
	p, old, err := a.present(ctx, id)
	if err != nil {
		return err
	}
	var c fault.Checks
	flaw := Registration{Username: p.Username, Email: p.Email, Password: replacement}.passwordFlaw()
	c.Require(flaw == "", "new_password", flaw)
	if err := c.Err(); err != nil {
		return err
	}
	attempt, err := a.throttle.Attempt(ctx, "change:"+strconv.FormatInt(id, 10), from)
	if err != nil {
		return err
	}
	ok, err := a.hasher.Matches(ctx, old, current)
	if err != nil {
		return err
	}
	if c.Require(ok, "current_password", "is not your password"); !ok {
		if err := attempt.Failed(ctx); err != nil {
			return err
		}
		a.log.InfoContext(ctx, "password change refused", "user_id", id)
		return c.Err()
	}
	if err := attempt.Succeeded(ctx); err != nil {
		return err
	}
	hash, err := a.hasher.Hash(ctx, replacement)
	if err != nil {
		return err
	}
	if err := a.store.SetPassword(ctx, id, old, hash, keep); err != nil {
		return err
	}
	a.log.InfoContext(ctx, "password changed", "user_id", id)
	return nil
}

// List gives one page of people by id, and whether there are more.
func (a *Accounts) List(ctx context.Context, page Page) (people []Person, more bool, err error) {
	people, err = a.store.People(ctx, page.Search, page.After, page.Limit+1)
	if err != nil || len(people) <= page.Limit {
		return people, false, err
	}
	return people[:page.Limit], true, nil
}

// SetRole gives the person a role on behalf of the admin with the id by. It shows
// at the person's next refresh. Errors are Invalid for an unknown role, NotFound,
// Conflict where the last admin would lose the role, and Forbidden where by is no
// admin any more, whose token may say so for a while.
func (a *Accounts) SetRole(ctx context.Context, by, id int64, role string) (Person, error) {
	var c fault.Checks
	known := []string{token.RoleUser, token.RoleCurator, token.RoleAdmin}
	c.Require(slices.Contains(known, role), "role", "must be user, curator or admin")
	if err := c.Err(); err != nil {
		return Person{}, err
	}
	p, err := a.store.SetRole(ctx, by, id, role)
	if err != nil {
		return Person{}, err
	}
	a.log.WarnContext(ctx, "role changed", "user_id", id, "role", role, "by", by)
	return p, nil
}

// SetDisabled stops the person from signing in and refreshing, or lets them
// again, on behalf of the admin with the id by. An access token they hold is good
// until it ends. Errors are those of SetRole.
func (a *Accounts) SetDisabled(ctx context.Context, by, id int64, disabled bool) (Person, error) {
	p, err := a.store.SetDisabled(ctx, by, id, disabled)
	if err != nil {
		return Person{}, err
	}
	a.log.WarnContext(ctx, "disabled changed", "user_id", id, "disabled", disabled, "by", by)
	return p, nil
}

// present is the person with that id, if they may still be signed in.
func (a *Accounts) present(ctx context.Context, id int64) (Person, string, error) {
	p, hash, err := a.store.Person(ctx, id)
	if fault.KindOf(err) == fault.NotFound || err == nil && p.Disabled {
		gone := fault.Error{Kind: fault.Unauthenticated, Message: "this person may not sign in any more", Code: "invalid_token"}
		return Person{}, "", gone.Because(err)
	}
	return p, hash, err
}
