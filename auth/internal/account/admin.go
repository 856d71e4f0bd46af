package account

import (
	"context"
	"slices"

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

// List gives one page of people by id, and whether there are more.
func (a *Accounts) List(ctx context.Context, page Page) (people []Person, more bool, err error) {
	people, err = a.store.List(ctx, page.Search, page.After, page.Limit+1)
	if err != nil || len(people) <= page.Limit {
		return people, false, err
	}
	return people[:page.Limit], true, nil
}

// SetRole gives the person a role on behalf of the admin with the id by. It shows
// at the person's next refresh. Errors are Invalid for an unknown role, NotFound,
// Conflict where the last admin would lose the role, and Forbidden where by is no
// admin any more, though their token may still say so.
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
// again, on behalf of the admin with the id by. Other services refuse an access
// token that they have within a minute. Errors are those of SetRole.
func (a *Accounts) SetDisabled(ctx context.Context, by, id int64, disabled bool) (Person, error) {
	p, err := a.store.SetDisabled(ctx, by, id, disabled)
	if err != nil {
		return Person{}, err
	}
	a.log.WarnContext(ctx, "disabled changed", "user_id", id, "disabled", disabled, "by", by)
	return p, nil
}
