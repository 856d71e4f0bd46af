package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"craftista/auth/internal/token"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
)

// KeepCode implements token.CodeStore. It also deletes codes, anybody's, that
// nobody redeemed in time.
func (s *Families) KeepCode(ctx context.Context, hash []byte, c token.Code, now time.Time) error {
	const clean = `
		DELETE FROM auth.codes
		 WHERE used_at IS NULL
		   AND expires_at <= $1`
	const insert = `
		INSERT INTO auth.codes (hash, client_id, user_id, redirect_uri, scope, nonce, code_challenge, auth_time, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	if _, err := s.db.ExecContext(ctx, clean, now); err != nil {
		return fmt.Errorf("delete ended codes: %w", err)
	}
	_, err := s.db.ExecContext(ctx, insert, hash, c.ClientID, c.UserID, c.RedirectURI, c.Scope, c.Nonce, c.Challenge, c.AuthTime, c.Expires)
	if err != nil {
		return fmt.Errorf("insert code: %w", err)
	}
	return nil
}

// Redeem implements token.CodeStore. The code's row is locked: of two who present
// it at once the second finds it used.
func (s *Families) Redeem(ctx context.Context, hash []byte, now, ends time.Time, first token.Kept, check func(token.Code) error) (
	f token.Family, c token.Code, reused bool, err error,
) {
	err = pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		var gave sql.NullInt64
		var err error
		if c, gave, err = lockCode(ctx, tx, hash, now); err != nil {
			return err
		}
		if reused = gave.Valid; reused {
			return revokeFamily(ctx, tx, gave.Int64, now)
		}
		if err := check(c); err != nil {
			return err
		}
		if f, err = startFamily(ctx, tx, c.UserID, c.ClientID, c.Scope, "", now, ends, first); err != nil {
			return err
		}
		return markRedeemed(ctx, tx, hash, now, f.ID)
	})
	return f, c, reused, err
}

// lockCode leaves out codes whose family has ended, which another transaction may
// be deleting: no deadlock.
func lockCode(ctx context.Context, tx *sqlx.Tx, hash []byte, now time.Time) (c token.Code, gave sql.NullInt64, err error) {
	const query = `
		SELECT client_id, user_id, redirect_uri, scope, nonce, code_challenge, auth_time, expires_at, family_id
		  FROM auth.codes AS c
		 WHERE hash = $1
		   AND NOT EXISTS (
		       SELECT
		         FROM auth.refresh_families AS f
		        WHERE f.id = c.family_id
		          AND f.expires_at <= $2)
		   FOR UPDATE`
	err = tx.QueryRowContext(ctx, query, hash, now).Scan(
		&c.ClientID, &c.UserID, &c.RedirectURI, &c.Scope, &c.Nonce, &c.Challenge, &c.AuthTime, &c.Expires, &gave)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return c, gave, fault.New(fault.NotFound, "no such code")
	case err != nil:
		return c, gave, fmt.Errorf("select code: %w", err)
	}
	return c, gave, nil
}

func markRedeemed(ctx context.Context, tx *sqlx.Tx, hash []byte, now time.Time, familyID int64) error {
	const query = `
		UPDATE auth.codes
		   SET used_at = $2,
		       family_id = $3
		 WHERE hash = $1`
	if _, err := tx.ExecContext(ctx, query, hash, now, familyID); err != nil {
		return fmt.Errorf("mark code: %w", err)
	}
	return nil
}

// Began implements token.CodeStore.
func (s *Families) Began(ctx context.Context, id, userID int64, clientID string, now time.Time) (time.Time, error) {
	const query = `
		SELECT f.created_at
		  FROM auth.refresh_families AS f
		  JOIN auth.users AS u ON u.id = f.user_id
		 WHERE f.id = $1
		   AND f.user_id = $2
		   AND f.client_id = $3
		   AND f.revoked_at IS NULL
		   AND f.expires_at > $4
		   AND u.disabled_at IS NULL`
	var at time.Time
	switch err := s.db.QueryRowContext(ctx, query, id, userID, clientID, now).Scan(&at); {
	case errors.Is(err, sql.ErrNoRows):
		return at, fault.New(fault.NotFound, "no such family is live")
	case err != nil:
		return at, fmt.Errorf("select refresh family %d: %w", id, err)
	}
	return at, nil
}

// End implements token.CodeStore.
func (s *Families) End(ctx context.Context, id, userID int64, clientID string, now time.Time) error {
	const query = `
		UPDATE auth.refresh_families
		   SET revoked_at = $4
		 WHERE user_id = $2
		   AND client_id = $3
		   AND (id = $1 OR $1 = 0)
		   AND revoked_at IS NULL`
	if _, err := s.db.ExecContext(ctx, query, id, userID, clientID, now); err != nil {
		return fmt.Errorf("revoke refresh families at a client: %w", err)
	}
	return nil
}
