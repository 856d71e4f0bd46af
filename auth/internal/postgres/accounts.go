// Package postgres stores people and their sign-ins in PostgreSQL, in the schema
// auth.
package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/session"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
)

// personColumns have the names that sqlx gives the fields of account.Person.
const personColumns = `id, username, email, role, disabled_at IS NOT NULL AS disabled, created_at AS createdat,
		email_verified_at IS NOT NULL AS verified`

// usableHash is empty for a disabled person, which no password matches.
const usableHash = `CASE WHEN disabled_at IS NULL THEN password_hash ELSE '' END AS hash`

// personRow is personColumns and usableHash.
type personRow struct {
	account.Person
	Hash string
}

// Store implements account.Store, account.MailStore, keys.Store, session.Store, throttle.Store and
// oidc.Clients. It is safe for concurrent use.
type Store struct{ db *sqlx.DB }

// NewStore returns a store in db, which the caller closes.
func NewStore(db *sqlx.DB) *Store { return &Store{db: db} }

// schema is what the service needs.
func schema() pg.Schema {
	return pg.Schema{Name: "auth", Version: 14, Columns: `
		SELECT EXISTS (
		           SELECT id, username, email, password_hash, role, created_at, disabled_at, email_verified_at, deleted_at,
		                  forget_at
		             FROM auth.users LIMIT 0),
		       EXISTS (
		           SELECT id, user_id, client_id, scope, created_at, expires_at, revoked_at, device
		             FROM auth.refresh_families LIMIT 0),
		       EXISTS (SELECT hash, family_id, created_at, expires_at, used_at FROM auth.refresh_tokens LIMIT 0),
		       EXISTS (SELECT user_id, purpose, hash, email, expires_at FROM auth.mail_tokens LIMIT 0),
		       EXISTS (SELECT key, failures, last_at, forget_at FROM auth.throttle LIMIT 0),
		       EXISTS (SELECT signs_from, sealed FROM auth.signing_keys LIMIT 0),
		       EXISTS (
		           SELECT id, name, secret_hash, redirect_uris, post_logout_redirect_uris, scopes, disabled_at
		             FROM auth.clients LIMIT 0),
		       EXISTS (
		           SELECT hash, client_id, user_id, redirect_uri, scope, nonce, code_challenge, auth_time, expires_at,
		                  used_at, family_id, approved_by, password
		             FROM auth.codes LIMIT 0)`}
}

// Ready is nil once the database answers and the migrations are done.
func (s *Store) Ready(ctx context.Context) error { return schema().Ready(ctx, s.db) }

// Current is nil unless the database was migrated by a newer version.
func (s *Store) Current(ctx context.Context) error { return schema().Current(ctx, s.db) }

// Create implements account.Store. The unique indexes decide between two people
// who ask at once.
func (s *Store) Create(ctx context.Context, username, email, hash string) (p account.Person, err error) {
	const query = `
		INSERT INTO auth.users (username, email, password_hash)
		VALUES ($1, $2, $3)
		RETURNING ` + personColumns
	err = s.db.GetContext(ctx, &p, query, username, email, hash)
	switch constraint := pg.Violated(err); {
	case constraint == "users_username_key", constraint == "users_email_key":
		return p, fault.New(fault.Conflict, "the username or the e-mail address is taken").Because(err)
	case err != nil:
		return p, fmt.Errorf("insert user: %w", err)
	}
	return p, nil
}

// Find implements account.Store. A name has no @ and an address has one, so at
// most one row matches.
func (s *Store) Find(ctx context.Context, nameOrEmail string) (account.Person, string, error) {
	const query = `
		SELECT ` + personColumns + `, ` + usableHash + `
		FROM auth.users
		WHERE lower(username) = lower($1)
		   OR lower(email) = lower($1)`
	err := sql.ErrNoRows
	var row personRow
	if !strings.Contains(nameOrEmail, "\x00") { // PostgreSQL refuses it in text
		err = s.db.GetContext(ctx, &row, query, nameOrEmail)
	}
	return row.Person, row.Hash, pg.RowError(err, "select user", fault.New(fault.NotFound, "nobody has that name"))
}

// Person implements account.Store.
func (s *Store) Person(ctx context.Context, id int64) (account.Person, string, error) {
	return person(ctx, s.db, id)
}

// person reads one person as they are now.
func person(ctx context.Context, db sqlx.QueryerContext, id int64) (account.Person, string, error) {
	const query = `
		SELECT ` + personColumns + `, ` + usableHash + `
		FROM auth.users
		WHERE id = $1`
	var row personRow
	err := sqlx.GetContext(ctx, db, &row, query, id)
	return row.Person, row.Hash, pg.RowError(err, "select user", nobody(id))
}

// SetPassword implements account.Store.
func (s *Store) SetPassword(ctx context.Context, id int64, old, hash string, exceptFamily int64) error {
	return pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		if err := replaceHash(ctx, tx, id, old, hash); err != nil {
			return err
		}
		return endSignIns(ctx, tx, session.Filter{UserID: id, Except: exceptFamily}, time.Now())
	})
}

// RenewHash implements account.Store.
func (s *Store) RenewHash(ctx context.Context, id int64, old, hash string) error {
	return replaceHash(ctx, s.db, id, old, hash)
}

// replaceHash is a compare-and-set: old not being the hash any more is a Conflict fault.
func replaceHash(ctx context.Context, db sqlx.QueryerContext, id int64, old, hash string) error {
	const query = `
		UPDATE auth.users
		   SET password_hash = $3
		 WHERE id = $1
		   AND password_hash = $2
		   AND disabled_at IS NULL
		RETURNING id`
	err := sqlx.GetContext(ctx, db, &id, query, id, old, hash)
	return pg.RowError(err, "update password", passwordChanged())
}

// nobody is the fault of an id that no person has.
func nobody(id int64) error { return fault.New(fault.NotFound, "nobody has the id %d", id) }

// exec runs a statement without rows.
func exec(ctx context.Context, db sqlx.ExecerContext, operation, statement string, args ...any) error {
	if _, err := db.ExecContext(ctx, statement, args...); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}
