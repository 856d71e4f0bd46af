package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/session"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
)

// List implements account.Store. The primary key gives the order. Only admins
// search, so that there is no index for the text.
func (s *Store) List(ctx context.Context, text string, after int64, limit int) ([]account.Person, error) {
	const query = `
		SELECT ` + personColumns + `
		FROM auth.users
		WHERE id > $2
		  AND deleted_at IS NULL
		  AND (strpos(lower(username), lower($1)) > 0 OR strpos(lower(email), lower($1)) > 0)
		ORDER BY id
		LIMIT $3`
	var people []account.Person
	if err := s.db.SelectContext(ctx, &people, query, text, after, limit); err != nil {
		return nil, fmt.Errorf("select users: %w", err)
	}
	return people, nil
}

// SetRole implements account.Store.
func (s *Store) SetRole(ctx context.Context, by, id int64, role string) (account.Person, error) {
	const query = `
		UPDATE auth.users
		   SET role = $2
		 WHERE id = $1
		   AND deleted_at IS NULL
		RETURNING ` + personColumns
	return s.administer(ctx, by, id, role != "admin", query, role)
}

// SetDisabled implements account.Store.
func (s *Store) SetDisabled(ctx context.Context, by, id int64, disabled bool) (account.Person, error) {
	const query = `
		UPDATE auth.users
		   SET disabled_at = CASE WHEN $2 THEN coalesce(disabled_at, now()) END
		 WHERE id = $1
		   AND deleted_at IS NULL
		RETURNING ` + personColumns
	return s.administer(ctx, by, id, disabled, query, disabled)
}

// administer runs an update of one person and, if they are disabled after it,
// revokes their families. See lockAdmins for who may, and for removes.
func (s *Store) administer(
	ctx context.Context, by, id int64, removes bool, update string, value any,
) (p account.Person, err error) {
	err = pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		if err := lockAdmins(ctx, tx, by, id, removes); err != nil {
			return err
		}
		err := tx.GetContext(ctx, &p, update, id, value)
		if err == nil && p.Disabled {
			_, err = revoke(ctx, tx, session.Filter{UserID: id}, time.Now())
		}
		return pg.RowError(err, "update user", nobody(id))
	})
	return p, err
}

// lockAdmins is a Forbidden fault unless by is an admin who may sign in now,
// whatever their token says, and a Conflict fault if nobody but id is one and the
// change would remove them.
func lockAdmins(ctx context.Context, tx *sqlx.Tx, by, id int64, removes bool) error {
	admins, err := lockedAdmins(ctx, tx)
	switch {
	case err != nil:
		return err
	case !slices.Contains(admins, by):
		return fault.New(fault.Forbidden, "you are not an admin any more")
	case removes && len(admins) == 1 && admins[0] == id:
		return lastAdmin()
	}
	return nil
}

// lockedAdmins are the admins who may sign in. It locks all of them until the transaction ends: of two
// who demote each other at once the second waits, and then sees what the first did.
func lockedAdmins(ctx context.Context, tx *sqlx.Tx) (admins []int64, err error) {
	const query = `
		SELECT id
		  FROM auth.users
		 WHERE role = 'admin'
		   AND disabled_at IS NULL
		 ORDER BY id
		   FOR NO KEY UPDATE`
	if err := tx.SelectContext(ctx, &admins, query); err != nil {
		return nil, fmt.Errorf("lock admins: %w", err)
	}
	return admins, nil
}

func lastAdmin() error {
	return fault.New(fault.Conflict, "this is the last admin, make somebody else an admin first")
}
