// Package postgres keeps people and their sign-ins in PostgreSQL, in the schema
// auth.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"craftista/auth/internal/account"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
)

// personColumns are what scanPerson reads.
const personColumns = `id, username, email, role, disabled_at IS NOT NULL, created_at`

// usableHash is none, which no password fits, for a disabled person.
const usableHash = `CASE WHEN disabled_at IS NULL THEN password_hash ELSE '' END`

// Store implements account.Store. It is safe for concurrent use.
type Store struct{ db *sqlx.DB }

// NewStore returns a store on db, which the caller closes.
func NewStore(db *sqlx.DB) *Store { return &Store{db: db} }

// Ready is nil once the database answers and the migrations are done.
func (s *Store) Ready(ctx context.Context) error {
	const query = `SELECT EXISTS (SELECT FROM auth.users)`
	if _, err := s.db.ExecContext(ctx, query); err != nil {
		return fmt.Errorf("look for users: %w", err)
	}
	return nil
}

// Create implements account.Store. The unique indexes decide between two people
// who ask at once.
func (s *Store) Create(ctx context.Context, username, email, hash string) (account.Person, error) {
	const query = `
		INSERT INTO auth.users (username, email, password_hash)
		VALUES ($1, $2, $3)
		RETURNING ` + personColumns
	p, err := scanPerson(s.db.QueryRowContext(ctx, query, username, email, hash))
	switch constraint := pg.Violated(err); {
	case constraint == "users_username_key", constraint == "users_email_key":
		return account.Person{}, fault.New(fault.Conflict, "the username or the e-mail address is taken").Because(err)
	case err != nil:
		return account.Person{}, fmt.Errorf("insert user: %w", err)
	}
	return p, nil
}

// Find implements account.Store. A name has no @ and an address has one, so at
// most one row fits.
func (s *Store) Find(ctx context.Context, nameOrEmail string) (p account.Person, hash string, err error) {
	const query = `
		SELECT ` + personColumns + `, ` + usableHash + `
		FROM auth.users
		WHERE lower(username) = lower($1)
		   OR lower(email) = lower($1)`
	if strings.Contains(nameOrEmail, "\x00") { // PostgreSQL's text has none and refuses to look for it
		return account.Person{}, "", fault.New(fault.NotFound, "nobody has that name")
	}
	switch p, err := scanPerson(s.db.QueryRowContext(ctx, query, nameOrEmail), &hash); {
	case errors.Is(err, sql.ErrNoRows):
		return account.Person{}, "", fault.New(fault.NotFound, "nobody has that name")
	case err != nil:
		return account.Person{}, "", fmt.Errorf("select user: %w", err)
	default:
		return p, hash, nil
	}
}

// Person implements account.Store.
func (s *Store) Person(ctx context.Context, id int64) (p account.Person, hash string, err error) {
	return person(ctx, s.db, id)
}

// person reads one person as they are now.
func person(ctx context.Context, db sqlx.QueryerContext, id int64) (p account.Person, hash string, err error) {
	const query = `
		SELECT ` + personColumns + `, ` + usableHash + `
		FROM auth.users
		WHERE id = $1`
	switch p, err := scanPerson(db.QueryRowxContext(ctx, query, id), &hash); {
	case errors.Is(err, sql.ErrNoRows):
		return account.Person{}, "", fault.New(fault.NotFound, "nobody has the id %d", id)
	case err != nil:
		return account.Person{}, "", fmt.Errorf("select user %d: %w", id, err)
	default:
		return p, hash, nil
	}
}

// scanPerson reads personColumns, and into more what follows them.
func scanPerson(row interface{ Scan(...any) error }, more ...any) (account.Person, error) {
	var p account.Person
	err := row.Scan(append([]any{&p.ID, &p.Username, &p.Email, &p.Role, &p.Disabled, &p.CreatedAt}, more...)...)
	return p, err
}
