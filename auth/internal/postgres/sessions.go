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

// passwordMark is the person's password as session.NewFamily has it.
const passwordMark = `sha256(convert_to(password_hash, 'UTF8'))` //nolint:gosec // SQL, no password

// Start implements session.Store. The person's row is locked, so that whoever
// disables them or changes the password either prevents this or sees the family. It also deletes expired
// families, anybody's, more of them than it adds.
func (s *Store) Start(ctx context.Context, f session.NewFamily) (family session.Family, err error) {
	err = pg.InTx(ctx, s.db, func(tx *sqlx.Tx) (err error) {
		family, err = startFamily(ctx, tx, f)
		return err
	})
	return family, err
}

func startFamily(ctx context.Context, tx *sqlx.Tx, n session.NewFamily) (session.Family, error) {
	const insert = `
		INSERT INTO auth.refresh_families (user_id, client_id, scope, device, created_at, expires_at)
		SELECT id, $2, $3, $4, $5, $6
		  FROM auth.users
		 WHERE id = $1
		   AND disabled_at IS NULL
		   AND ` + passwordMark + ` = $7
		   FOR SHARE
		RETURNING id`
	f := session.Family{ClientID: n.ClientID, Scope: n.Scope}
	err := tx.GetContext(ctx, &f.ID, insert, n.UserID, n.ClientID, n.Scope, n.Device, n.StartedAt, n.ExpiresAt, n.Password)
	absent := fault.New(fault.NotFound, "nobody with that id and password may sign in")
	if err := pg.RowError(err, "insert refresh family", absent); err != nil {
		return f, err
	}
	if f.Person, _, err = person(ctx, tx, n.UserID); err != nil {
		return f, err
	}
	if err := insertToken(ctx, tx, f.ID, n.StartedAt, n.First); err != nil {
		return f, err
	}
	return f, deleteExpired(ctx, tx, n.StartedAt)
}

// Rotate implements session.Store. Both rows are locked; the person is read after
// that, so that a change that revoked nothing is seen too.
func (s *Store) Rotate(
	ctx context.Context, hash []byte, now time.Time, decide func(session.PresentedToken) session.Rotation,
) error {
	const markUsed = `
		UPDATE auth.refresh_tokens
		   SET used_at = $2
		 WHERE hash = $1
		   AND used_at IS NULL`
	return pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		p, err := lockToken(ctx, tx, hash, now)
		if err != nil {
			return err
		}
		switch r := decide(p); {
		case r.RevokeFamily:
			_, err := revoke(ctx, tx, session.Filter{UserID: p.Family.Person.ID, ID: p.Family.ID}, now)
			return err
		case r.Next.Hash != nil:
			if err := exec(ctx, tx, "mark refresh token", markUsed, hash, now); err != nil {
				return err
			}
			return insertToken(ctx, tx, p.Family.ID, now, r.Next)
		default:
			return nil
		}
	})
}

func lockToken(ctx context.Context, tx *sqlx.Tx, hash []byte, now time.Time) (session.PresentedToken, error) {
	const query = `
		SELECT f.id, f.user_id, f.client_id, f.scope, f.expires_at, f.revoked_at IS NOT NULL, t.used_at
		  FROM auth.refresh_tokens AS t
		  JOIN auth.refresh_families AS f ON f.id = t.family_id
		 WHERE t.hash = $1
		   AND t.expires_at > $2
		   FOR UPDATE`
	var p session.PresentedToken
	var userID int64
	var usedAt sql.NullTime
	f := &p.Family
	err := tx.QueryRowContext(ctx, query, hash, now).
		Scan(&f.ID, &userID, &f.ClientID, &f.Scope, &p.FamilyExpiresAt, &p.FamilyRevoked, &usedAt)
	if err := pg.RowError(err, "select refresh token", fault.New(fault.NotFound, "no such refresh token")); err != nil {
		return p, err
	}
	p.UsedAt = usedAt.Time
	f.Person, _, err = person(ctx, tx, userID)
	return p, err
}

func insertToken(ctx context.Context, tx *sqlx.Tx, familyID int64, now time.Time, t session.StoredToken) error {
	const query = `
		INSERT INTO auth.refresh_tokens (hash, family_id, created_at, expires_at)
		VALUES ($1, $2, $3, $4)`
	return exec(ctx, tx, "insert refresh token", query, t.Hash, familyID, now, t.ExpiresAt)
}

// deleteExpired deletes a few expired families, and skips those that another
// transaction is deleting. There is no deadlock with Rotate, which locks none of
// their tokens, since a token expires with its family at the latest.
func deleteExpired(ctx context.Context, tx *sqlx.Tx, now time.Time) error {
	const query = `
		DELETE FROM auth.refresh_families
		 WHERE id IN (
		       SELECT id
		         FROM auth.refresh_families
		        WHERE expires_at <= $1
		        ORDER BY expires_at
		        LIMIT 10
		          FOR UPDATE SKIP LOCKED)`
	return exec(ctx, tx, "delete expired refresh families", query, now)
}

// Sessions implements session.Store. The latest token of a family expires last. The
// columns have the names that sqlx gives the fields of session.Session.
func (s *Store) Sessions(ctx context.Context, userID int64, limit int, now time.Time) ([]session.Session, error) {
	const query = `
		SELECT f.id, f.created_at AS createdat, latest.created_at AS lastusedat, f.device, f.scope,
		       CASE WHEN f.client_id = '' THEN '' ELSE coalesce(c.name, f.client_id) END AS clientname
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
	var sessions []session.Session
	if err := s.db.SelectContext(ctx, &sessions, query, userID, now, limit); err != nil {
		return nil, fmt.Errorf("select sessions of user %d: %w", userID, err)
	}
	return sessions, nil
}

// StartedAt implements session.Store.
func (s *Store) StartedAt(ctx context.Context, id, userID int64, clientID string, now time.Time) (time.Time, error) {
	return startedAt(ctx, s.db, id, userID, clientID, now)
}

func startedAt(
	ctx context.Context, db sqlx.QueryerContext, id, userID int64, clientID string, now time.Time,
) (at time.Time, err error) {
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
	err = sqlx.GetContext(ctx, db, &at, query, id, userID, clientID, now)
	return at, pg.RowError(err, "select refresh family", fault.New(fault.NotFound, "no such family is active"))
}

// Revoke implements session.Store. It waits for a Rotate of a family, whose next
// token is revoked with it.
func (s *Store) Revoke(ctx context.Context, f session.Filter, now time.Time) (int64, error) {
	return revoke(ctx, s.db, f, now)
}

// revoke is Revoke in a transaction. If the caller has changed the person before,
// Start waits for the transaction, and no family is missed.
func revoke(ctx context.Context, db sqlx.ExecerContext, f session.Filter, now time.Time) (int64, error) {
	const query = `
		UPDATE auth.refresh_families
		   SET revoked_at = $5
		 WHERE user_id = $1
		   AND ($2::bigint = 0 OR id = $2)
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

// RevokedSince implements session.Store.
func (s *Store) RevokedSince(ctx context.Context, since time.Time) ([]string, error) {
	const query = `
		SELECT id
		  FROM auth.refresh_families
		 WHERE revoked_at > $1
		 ORDER BY id`
	ids := []string{}
	if err := s.db.SelectContext(ctx, &ids, query, since); err != nil {
		return nil, fmt.Errorf("select revoked refresh families: %w", err)
	}
	return ids, nil
}

// RevokeByToken implements session.Store.
func (s *Store) RevokeByToken(ctx context.Context, hash []byte, now time.Time) error {
	const query = `
		UPDATE auth.refresh_families AS f
		   SET revoked_at = $2
		  FROM auth.refresh_tokens AS t
		 WHERE t.hash = $1
		   AND f.id = t.family_id
		   AND f.revoked_at IS NULL`
	return exec(ctx, s.db, "revoke refresh family of a token", query, hash, now)
}
