package postgres

import (
	"context"
	"fmt"
	"time"

	"craftista/auth/internal/session"

	"github.com/jmoiron/sqlx"
)

// Revoke implements session.Store. It waits for a Rotate of a family, whose next
// token is revoked with it.
func (s *Sessions) Revoke(ctx context.Context, f session.Filter, now time.Time) (int64, error) {
	return revoke(ctx, s.db, f, now)
}

// revoke is Revoke in a transaction. If the caller has changed the person before,
// Start waits for the transaction, and no family is missed.
func revoke(ctx context.Context, db sqlx.ExecerContext, f session.Filter, now time.Time) (int64, error) {
	const query = `
		UPDATE auth.refresh_families
		   SET revoked_at = $5
		 WHERE user_id = $1
		   AND ($2 = 0 OR id = $2)
		   AND ($3 = '' OR client_id = $3)
		   AND id <> $4
		   AND revoked_at IS NULL
		   AND expires_at > $5`
	result, err := db.ExecContext(ctx, query, f.UserID, f.ID, f.ClientID, f.Except, now)
	if err != nil {
		return 0, fmt.Errorf("revoke refresh families of user %d: %w", f.UserID, err)
	}
	return result.RowsAffected()
}

// RevokeByToken implements session.Store.
func (s *Sessions) RevokeByToken(ctx context.Context, hash []byte, now time.Time) error {
	const query = `
		UPDATE auth.refresh_families AS f
		   SET revoked_at = $2
		  FROM auth.refresh_tokens AS t
		 WHERE t.hash = $1
		   AND f.id = t.family_id
		   AND f.revoked_at IS NULL`
	return exec(ctx, s.db, "revoke refresh family of a token", query, hash, now)
}

func revokeFamily(ctx context.Context, tx *sqlx.Tx, id int64, now time.Time) error {
	const query = `
		UPDATE auth.refresh_families
		   SET revoked_at = $2
		 WHERE id = $1`
	return exec(ctx, tx, "revoke refresh family", query, id, now)
}
