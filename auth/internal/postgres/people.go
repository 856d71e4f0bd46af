package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"craftista/auth/internal/account"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
)

// People implements account.Store. The primary key gives the order; only admins
// search, so that a text has no index of its own.
func (s *Store) People(ctx context.Context, text string, after int64, limit int) ([]account.Person, error) {
	const query = `
		SELECT ` + personColumns + `
		FROM auth.users
		WHERE id > $2
		  AND (strpos(lower(username), lower($1)) > 0 OR strpos(lower(email), lower($1)) > 0)
		ORDER BY id
		LIMIT $3`
	rows, err := s.db.QueryContext(ctx, query, text, after, limit)
	if err != nil {
		return nil, fmt.Errorf("select users: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var people []account.Person
	for rows.Next() {
		p, err := scanPerson(rows)
		if err != nil {
			return nil, fmt.Errorf("select users: %w", err)
		}
		people = append(people, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("select users: %w", err)
	}
	return people, nil
}

// SetPassword implements account.Store.
func (s *Store) SetPassword(ctx context.Context, id int64, old, hash string, keep int64) error {
	const query = `
		UPDATE auth.users
		   SET password_hash = $3
		 WHERE id = $1
		   AND password_hash = $2
		   AND disabled_at IS NULL
		RETURNING id`
	return pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		switch err := tx.QueryRowContext(ctx, query, id, old, hash).Scan(&id); {
		case errors.Is(err, sql.ErrNoRows):
			return fault.New(fault.Conflict, "the password was changed by somebody else just now")
		case err != nil:
			return fmt.Errorf("update password of user %d: %w", id, err)
		}
		return revokeFamilies(ctx, tx, id, keep)
	})
}

// SetRole implements account.Store.
func (s *Store) SetRole(ctx context.Context, by, id int64, role string) (account.Person, error) {
	const query = `
		UPDATE auth.users
		   SET role = $2
		 WHERE id = $1
		RETURNING ` + personColumns
	var p account.Person
	err := pg.InTx(ctx, s.db, func(tx *sqlx.Tx) (err error) {
		if err := keepAnAdmin(ctx, tx, by, id, role != "admin"); err != nil {
			return err
		}
		p, err = changed(tx.QueryRowContext(ctx, query, id, role), id)
		return err
	})
	return p, err
}

// SetDisabled implements account.Store.
func (s *Store) SetDisabled(ctx context.Context, by, id int64, disabled bool) (account.Person, error) {
	const query = `
		UPDATE auth.users
		   SET disabled_at = CASE WHEN $2 THEN coalesce(disabled_at, now()) END
		 WHERE id = $1
		RETURNING ` + personColumns
	var p account.Person
	err := pg.InTx(ctx, s.db, func(tx *sqlx.Tx) (err error) {
		if err := keepAnAdmin(ctx, tx, by, id, disabled); err != nil {
			return err
		}
		if p, err = changed(tx.QueryRowContext(ctx, query, id, disabled), id); err != nil || !disabled {
			return err
		}
		return revokeFamilies(ctx, tx, id, 0)
	})
	return p, err
}

// keepAnAdmin is a Forbidden fault unless by is an admin who may sign in now,
// whatever their token said, and a Conflict fault if nobody but id is one and id
// leaves. It locks all admins until the transaction ends: of two who demote each
// other at once the second waits, and then sees what the first did.
func keepAnAdmin(ctx context.Context, tx *sqlx.Tx, by, id int64, leaves bool) error {
	const query = `
		SELECT id
		  FROM auth.users
		 WHERE role = 'admin'
		   AND disabled_at IS NULL
		 ORDER BY id
		   FOR NO KEY UPDATE`
	var admins []int64
	if err := tx.SelectContext(ctx, &admins, query); err != nil {
		return fmt.Errorf("lock admins: %w", err)
	}
	if !slices.Contains(admins, by) {
		return fault.New(fault.Forbidden, "you are not an admin any more")
	}
	if leaves && len(admins) == 1 && admins[0] == id {
		return fault.New(fault.Conflict, "this is the last admin, make somebody else one first")
	}
	return nil
}

func changed(row *sql.Row, id int64) (account.Person, error) {
	switch p, err := scanPerson(row); {
	case errors.Is(err, sql.ErrNoRows):
		return account.Person{}, fault.New(fault.NotFound, "nobody has the id %d", id)
	case err != nil:
		return account.Person{}, fmt.Errorf("update user %d: %w", id, err)
	default:
		return p, nil
	}
}

// revokeFamilies ends the person's sign-ins but keep, 0 for none. If the caller
// has changed the person before, in one transaction, Start waits for it, and none
// is missed.
func revokeFamilies(ctx context.Context, db sqlx.ExecerContext, userID, keep int64) error {
	const query = `
		UPDATE auth.refresh_families
		   SET revoked_at = now()
		 WHERE user_id = $1
		   AND id <> $2
		   AND revoked_at IS NULL`
	if _, err := db.ExecContext(ctx, query, userID, keep); err != nil {
		return fmt.Errorf("revoke refresh families of user %d: %w", userID, err)
	}
	return nil
}
