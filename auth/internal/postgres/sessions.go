package postgres

import (
	"context"
	"fmt"
	"time"

	"craftista/auth/internal/token"
	"craftista/shared/fault"
)

// Sessions implements token.SessionStore. The latest token of a family ends last.
func (s *Families) Sessions(ctx context.Context, userID int64, limit int, now time.Time) ([]token.Session, error) {
	const query = `
		SELECT f.id, f.created_at, latest.created_at, f.device, CASE WHEN f.client_id = '' THEN '' ELSE coalesce(c.name, f.client_id) END
		  FROM auth.refresh_families AS f
		  LEFT JOIN auth.clients AS c ON c.id = f.client_id
		 CROSS JOIN LATERAL (
		       SELECT created_at, expires_at
		         FROM auth.refresh_tokens
		        WHERE family_id = f.id
		        ORDER BY created_at DESC
		        LIMIT 1) AS latest
		 WHERE f.user_id = $1
		   AND f.revoked_at IS NULL
		   AND latest.expires_at > $2
		 ORDER BY latest.created_at DESC, f.id DESC
		 LIMIT $3`
	rows, err := s.db.QueryContext(ctx, query, userID, now, limit)
	if err != nil {
		return nil, fmt.Errorf("select sessions of user %d: %w", userID, err)
	}
	defer func() { _ = rows.Close() }()
	var sessions []token.Session
	for rows.Next() {
		var one token.Session
		if err := rows.Scan(&one.ID, &one.CreatedAt, &one.LastUsedAt, &one.Device, &one.ClientName); err != nil {
			return nil, fmt.Errorf("select sessions of user %d: %w", userID, err)
		}
		sessions = append(sessions, one)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("select sessions of user %d: %w", userID, err)
	}
	return sessions, nil
}

// EndSession implements token.SessionStore. It waits for a Rotate of the family,
// whose next token is no good then.
func (s *Families) EndSession(ctx context.Context, id, userID int64, now time.Time) error {
	const query = `
		UPDATE auth.refresh_families
		   SET revoked_at = $3
		 WHERE id = $1
		   AND user_id = $2
		   AND revoked_at IS NULL
		   AND expires_at > $3`
	result, err := s.db.ExecContext(ctx, query, id, userID, now)
	if err != nil {
		return fmt.Errorf("revoke refresh family %d: %w", id, err)
	}
	switch n, err := result.RowsAffected(); {
	case err != nil:
		return fmt.Errorf("revoke refresh family %d: %w", id, err)
	case n == 0:
		return fault.New(fault.NotFound, "no such family is live")
	default:
		return nil
	}
}

// EndOthers implements token.SessionStore.
func (s *Families) EndOthers(ctx context.Context, userID, keep int64) error {
	return revokeFamilies(ctx, s.db, userID, keep)
}
