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

// Families implements token.FamilyStore. It is safe for concurrent use.
type Families struct{ db *sqlx.DB }

// NewFamilies returns families on db, which the caller closes.
func NewFamilies(db *sqlx.DB) *Families { return &Families{db: db} }

// Start implements token.FamilyStore. The person's row is locked, so that whoever
// disables them either stops this or sees the family. It also deletes families,
// anybody's, that have ended, more of them than it adds.
func (s *Families) Start(ctx context.Context, userID int64, device string, now, ends time.Time, first token.Kept) (token.Family, error) {
	var f token.Family
	err := pg.InTx(ctx, s.db, func(tx *sqlx.Tx) (err error) {
		f, err = startFamily(ctx, tx, userID, "", "", device, now, ends, first)
		return err
	})
	return f, err
}

func startFamily(ctx context.Context, tx *sqlx.Tx, userID int64, clientID, scope, device string, now, ends time.Time, first token.Kept) (token.Family, error) {
	const insert = `
		INSERT INTO auth.refresh_families (user_id, client_id, scope, device, created_at, expires_at)
		SELECT id, $2, $3, $4, $5, $6
		  FROM auth.users
		 WHERE id = $1
		   AND disabled_at IS NULL
		   FOR SHARE
		RETURNING id`
	f := token.Family{ClientID: clientID, Scope: scope}
	switch err := tx.QueryRowContext(ctx, insert, userID, clientID, scope, device, now, ends).Scan(&f.ID); {
	case errors.Is(err, sql.ErrNoRows):
		return f, fault.New(fault.NotFound, "nobody who may sign in has the id %d", userID)
	case err != nil:
		return f, fmt.Errorf("insert refresh family: %w", err)
	}
	var err error
	if f.Person, _, err = person(ctx, tx, userID); err != nil {
		return f, err
	}
	if err := insertToken(ctx, tx, f.ID, now, first); err != nil {
		return f, err
	}
	return f, deleteEnded(ctx, tx, now)
}

// Rotate implements token.FamilyStore. Both rows are locked; the person is read
// after that, so that a change that revoked nothing is seen too.
func (s *Families) Rotate(ctx context.Context, hash []byte, now time.Time, decide func(token.Presented) token.Decision) error {
	return pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		p, err := presented(ctx, tx, hash, now)
		if err != nil {
			return err
		}
		switch d := decide(p); {
		case d.Revoke:
			return revokeFamily(ctx, tx, p.Family.ID, now)
		case d.Child.Hash != nil:
			if err := markUsed(ctx, tx, hash, now); err != nil {
				return err
			}
			return insertToken(ctx, tx, p.Family.ID, now, d.Child)
		default:
			return nil
		}
	})
}

// Revoke implements token.FamilyStore.
func (s *Families) Revoke(ctx context.Context, hash []byte, now time.Time) error {
	const query = `
		UPDATE auth.refresh_families AS f
		   SET revoked_at = $2
		  FROM auth.refresh_tokens AS t
		 WHERE t.hash = $1
		   AND f.id = t.family_id
		   AND f.revoked_at IS NULL`
	if _, err := s.db.ExecContext(ctx, query, hash, now); err != nil {
		return fmt.Errorf("revoke refresh family: %w", err)
	}
	return nil
}

func presented(ctx context.Context, tx *sqlx.Tx, hash []byte, now time.Time) (token.Presented, error) {
	const query = `
		SELECT f.id, f.user_id, f.client_id, f.scope, f.expires_at, f.revoked_at IS NOT NULL, t.used_at
		  FROM auth.refresh_tokens AS t
		  JOIN auth.refresh_families AS f ON f.id = t.family_id
		 WHERE t.hash = $1
		   AND t.expires_at > $2
		   FOR UPDATE`
	var p token.Presented
	var userID int64
	var usedAt sql.NullTime
	f := &p.Family
	err := tx.QueryRowContext(ctx, query, hash, now).Scan(&f.ID, &userID, &f.ClientID, &f.Scope, &p.Ends, &p.Revoked, &usedAt)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return p, fault.New(fault.NotFound, "no such refresh token")
	case err != nil:
		return p, fmt.Errorf("select refresh token: %w", err)
	}
	p.UsedAt = usedAt.Time
	f.Person, _, err = person(ctx, tx, userID)
	return p, err
}

func insertToken(ctx context.Context, tx *sqlx.Tx, familyID int64, now time.Time, k token.Kept) error {
	const query = `
		INSERT INTO auth.refresh_tokens (hash, family_id, created_at, expires_at)
		VALUES ($1, $2, $3, $4)`
	if _, err := tx.ExecContext(ctx, query, k.Hash, familyID, now, k.Ends); err != nil {
		return fmt.Errorf("insert refresh token: %w", err)
	}
	return nil
}

func markUsed(ctx context.Context, tx *sqlx.Tx, hash []byte, now time.Time) error {
	const query = `
		UPDATE auth.refresh_tokens
		   SET used_at = $2
		 WHERE hash = $1
		   AND used_at IS NULL`
	if _, err := tx.ExecContext(ctx, query, hash, now); err != nil {
		return fmt.Errorf("mark refresh token: %w", err)
	}
	return nil
}

func revokeFamily(ctx context.Context, tx *sqlx.Tx, id int64, now time.Time) error {
	const query = `
		UPDATE auth.refresh_families
		   SET revoked_at = $2
		 WHERE id = $1`
	if _, err := tx.ExecContext(ctx, query, id, now); err != nil {
		return fmt.Errorf("revoke refresh family %d: %w", id, err)
	}
	return nil
}

// deleteEnded deletes a few families that have ended, and leaves those that
// another transaction is deleting to it. Rotate locks no token of these, since a
// token ends with its family at the latest: no deadlock.
func deleteEnded(ctx context.Context, tx *sqlx.Tx, now time.Time) error {
	const query = `
		DELETE FROM auth.refresh_families
		 WHERE id IN (
		       SELECT id
		         FROM auth.refresh_families
		        WHERE expires_at <= $1
		        ORDER BY expires_at
		        LIMIT 10
		          FOR UPDATE SKIP LOCKED)`
	if _, err := tx.ExecContext(ctx, query, now); err != nil {
		return fmt.Errorf("delete ended refresh families: %w", err)
	}
	return nil
}
