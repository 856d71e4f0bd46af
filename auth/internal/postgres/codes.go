package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"craftista/auth/internal/session"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
)

// SaveCode implements session.Store. It also deletes expired codes, anybody's,
// that were not exchanged.
func (s *Store) SaveCode(ctx context.Context, hash []byte, c session.Code, now time.Time) error {
	const query = `
		WITH expired AS (
		      DELETE FROM auth.codes
		       WHERE used_at IS NULL
		         AND expires_at <= $10)
		INSERT INTO auth.codes
		       (hash, client_id, user_id, redirect_uri, scope, nonce, code_challenge, auth_time, expires_at,
		       approved_by, password)
		SELECT $1, $2, id, $4, $5, $6, $7, $8, $9, $11, ` + passwordMark + `
		  FROM auth.users
		 WHERE id = $3`
	return exec(ctx, s.db, "insert code", query, hash, c.ClientID, c.UserID, c.RedirectURI, c.Scope, c.Nonce,
		c.Challenge, c.AuthTime, c.ExpiresAt, now, c.ApprovedBy)
}

// Approved implements session.Store.
func (s *Store) Approved(ctx context.Context, c session.Code, now time.Time) (approved bool, err error) {
	const query = `
		SELECT EXISTS (
		       SELECT
		         FROM auth.codes AS c
		         JOIN auth.refresh_families AS f ON f.id = c.family_id
		        WHERE c.user_id = $1
		          AND c.approved_by = $2
		          AND c.client_id = $3
		          AND string_to_array(c.scope, ' ') @> string_to_array($4, ' ')
		          AND f.revoked_at IS NULL
		          AND f.expires_at > $5)`
	if err := s.db.GetContext(ctx, &approved, query, c.UserID, c.ApprovedBy, c.ClientID, c.Scope, now); err != nil {
		return false, fmt.Errorf("select approval: %w", err)
	}
	return approved, nil
}

// ExchangeCode implements session.Store. The code's row is locked: of two who
// present it at once the second finds it used.
func (s *Store) ExchangeCode(
	ctx context.Context, hash []byte, f session.NewFamily, check func(session.Code) error,
) (family session.Family, c session.Code, reused bool, err error) {
	const markUsed = `
		UPDATE auth.codes
		   SET used_at = $2,
		       family_id = $3
		 WHERE hash = $1`
	err = pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		var gave sql.NullInt64
		var err error
		if c, f.Password, gave, err = lockCode(ctx, tx, hash, f.StartedAt); err != nil {
			return err
		}
		if reused = gave.Valid; reused {
			_, err := revoke(ctx, tx, session.Filter{UserID: c.UserID, ID: gave.Int64}, f.StartedAt)
			return err
		}
		if err := check(c); err != nil {
			return err
		}
		f.UserID, f.ClientID, f.Scope = c.UserID, c.ClientID, c.Scope
		if family, err = startFamily(ctx, tx, f); err != nil {
			return err
		}
		// After startFamily has locked the person, so that this sees what ended before.
		if _, err = startedAt(ctx, tx, c.ApprovedBy, c.UserID, "", f.StartedAt); err != nil {
			return err
		}
		return exec(ctx, tx, "mark code", markUsed, hash, f.StartedAt, family.ID)
	})
	return family, c, reused, err
}

// lockCode leaves out codes whose family has expired, which another transaction
// may be deleting: no deadlock.
func lockCode(ctx context.Context, tx *sqlx.Tx, hash []byte, now time.Time) (
	c session.Code, password []byte, gave sql.NullInt64, err error,
) {
	const query = `
		SELECT client_id, user_id, redirect_uri, scope, nonce, code_challenge, auth_time, expires_at,
		       coalesce(approved_by, 0), password, family_id
		  FROM auth.codes AS c
		 WHERE hash = $1
		   AND NOT EXISTS (
		       SELECT
		         FROM auth.refresh_families AS f
		        WHERE f.id = c.family_id
		          AND f.expires_at <= $2)
		   FOR UPDATE`
	err = tx.QueryRowContext(ctx, query, hash, now).Scan(
		&c.ClientID, &c.UserID, &c.RedirectURI, &c.Scope, &c.Nonce, &c.Challenge, &c.AuthTime, &c.ExpiresAt,
		&c.ApprovedBy, &password, &gave)
	return c, password, gave, pg.RowError(err, "select code", fault.New(fault.NotFound, "no such code"))
}
