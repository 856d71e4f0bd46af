package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/session"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
)

// Delete implements account.DeletionStore. No address has a space, and no password has a hash without a dollar sign, so
// that neither is anybody's.
func (s *Store) Delete(ctx context.Context, id int64, hash string, now time.Time) error {
	const query = `
		UPDATE auth.users
		   SET disabled_at = $3,
		       deleted_at = $3,
		       forget_at = $3,
		       email = 'deleted ' || id,
		       email_verified_at = NULL,
		       password_hash = 'none',
		       role = 'user'
		 WHERE id = $1
		   AND password_hash = $2
		   AND disabled_at IS NULL
		RETURNING id`
	return pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		admins, err := lockedAdmins(ctx, tx)
		if err != nil {
			return err
		}
		if len(admins) == 1 && admins[0] == id {
			return lastAdmin()
		}
		err = tx.GetContext(ctx, &id, query, id, hash, now)
		if err := pg.RowError(err, "delete user", passwordChanged()); err != nil {
			return err
		}
		for _, table := range []string{"codes", "mail_tokens"} {
			if err := exec(ctx, tx, "delete "+table, `DELETE FROM auth.`+table+` WHERE user_id = $1`, id); err != nil {
				return err
			}
		}
		_, err = revoke(ctx, tx, session.Filter{UserID: id}, now)
		return err
	})
}

// ToForget implements account.DeletionStore.
func (s *Store) ToForget(ctx context.Context, now time.Time, limit int) (people []account.Deleted, err error) {
	const query = `
		SELECT id, deleted_at AS deletedat
		  FROM auth.users
		 WHERE deleted_at IS NOT NULL
		   AND forget_at <= $1
		 ORDER BY forget_at
		 LIMIT $2`
	if err := s.db.SelectContext(ctx, &people, query, now, limit); err != nil {
		return nil, fmt.Errorf("select deleted users: %w", err)
	}
	return people, nil
}

// ForgetAgain implements account.DeletionStore.
func (s *Store) ForgetAgain(ctx context.Context, id int64, next time.Time) error {
	const query = `
		UPDATE auth.users
		   SET forget_at = $2
		 WHERE id = $1`
	return exec(ctx, s.db, "update deleted user", query, id, sql.NullTime{Time: next, Valid: !next.IsZero()})
}

// Purge implements account.DeletionStore. What belongs to the people goes with them.
func (s *Store) Purge(ctx context.Context, by time.Time) error {
	const query = `
		DELETE FROM auth.users
		 WHERE deleted_at <= $1
		   AND forget_at IS NULL`
	return exec(ctx, s.db, "delete users", query, by)
}

func passwordChanged() error {
	return fault.New(fault.Conflict, "the password was changed by somebody else just now")
}
