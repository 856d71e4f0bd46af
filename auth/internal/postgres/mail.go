package postgres

import (
	"context"
	"fmt"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/session"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
)

// SaveMailToken implements account.MailStore.
func (s *Store) SaveMailToken(ctx context.Context, t account.MailToken) error {
	const query = `
		INSERT INTO auth.mail_tokens (user_id, purpose, hash, email, expires_at)
		VALUES ($1, $2, $3, $4, $5)
		    ON CONFLICT (user_id, purpose) DO UPDATE
		   SET hash = excluded.hash,
		       email = excluded.email,
		       expires_at = excluded.expires_at`
	return exec(ctx, s.db, "insert mail token", query, t.UserID, t.Purpose, t.Hash, t.Email, t.ExpiresAt)
}

// usable selects from mail_tokens as t the token with the hash $1 that is good at $2, and its person as u.
const usable = `
		  FROM auth.mail_tokens AS t
		  JOIN auth.users AS u ON u.id = t.user_id
		 WHERE t.hash = $1
		   AND t.expires_at > $2
		   AND u.disabled_at IS NULL
		   AND (t.purpose = 'change' OR lower(t.email) = lower(u.email))`

// PersonByReset implements account.MailStore.
func (s *Store) PersonByReset(ctx context.Context, hash []byte, now time.Time) (p account.Person, err error) {
	const query = `
		SELECT u.id` + usable + `
		   AND t.purpose = 'reset'`
	if err := s.db.GetContext(ctx, &p.ID, query, hash, now); err != nil {
		return p, pg.RowError(err, "select mail token", noToken())
	}
	p, _, err = s.Person(ctx, p.ID)
	return p, err
}

// ResetPassword implements account.MailStore.
func (s *Store) ResetPassword(ctx context.Context, hash []byte, password string, now time.Time) error {
	const update = `
		UPDATE auth.users
		   SET password_hash = $2,
		       email_verified_at = coalesce(email_verified_at, $3)
		 WHERE id = $1`
	return pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		t, err := useToken(ctx, tx, hash, now, account.PurposeReset, account.PurposeReset)
		if err != nil {
			return err
		}
		if err := exec(ctx, tx, "reset password", update, t.UserID, password, now); err != nil {
			return err
		}
		return endSignIns(ctx, tx, session.Filter{UserID: t.UserID}, now)
	})
}

// ConfirmEmail implements account.MailStore. The unique index decides between two who get one address at once.
func (s *Store) ConfirmEmail(ctx context.Context, hash []byte, now time.Time) (p account.Person, err error) {
	const update = `
		UPDATE auth.users
		   SET email = $2,
		       email_verified_at = $3
		 WHERE id = $1
		RETURNING ` + personColumns
	err = pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		t, err := useToken(ctx, tx, hash, now, account.PurposeVerify, account.PurposeChange)
		if err != nil {
			return err
		}
		err = tx.GetContext(ctx, &p, update, t.UserID, t.Email, now)
		switch {
		case pg.Violated(err) == "users_email_key":
			return fault.New(fault.Conflict, "the e-mail address is taken").Because(err)
		case err != nil:
			return fmt.Errorf("update e-mail: %w", err)
		}
		return nil
	})
	return p, err
}

// useToken deletes a good token of one of two purposes. It locks the person first, as all do who change one: of two
// who present the token at once the second finds it deleted.
func useToken(ctx context.Context, tx *sqlx.Tx, hash []byte, now time.Time, one, other account.Purpose) (
	t account.MailToken, err error,
) {
	const lock = `
		SELECT u.id` + usable + `
		   AND t.purpose IN ($3, $4)
		   FOR NO KEY UPDATE OF u`
	const use = `
		DELETE FROM auth.mail_tokens
		 WHERE hash = $1
		RETURNING user_id AS userid, email`
	err = tx.GetContext(ctx, &t.UserID, lock, hash, now, one, other)
	if err == nil {
		err = tx.GetContext(ctx, &t, use, hash)
	}
	return t, pg.RowError(err, "use mail token", noToken())
}

// endSignIns revokes families and deletes the mail tokens of a person whose password has changed: a link that was
// asked for with the old one is good no more.
func endSignIns(ctx context.Context, tx *sqlx.Tx, f session.Filter, now time.Time) error {
	const query = `
		DELETE FROM auth.mail_tokens
		 WHERE user_id = $1
		   AND purpose <> 'verify'`
	if err := exec(ctx, tx, "delete mail tokens", query, f.UserID); err != nil {
		return err
	}
	_, err := revoke(ctx, tx, f, now)
	return err
}

func noToken() error { return fault.New(fault.NotFound, "no such mail token") }
