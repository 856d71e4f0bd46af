package db

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/lib/pq"
)

// The role that each service connects as. It can sign in and use its own schema, and nothing else, but for
// [RecommendationRole], which may also read the tables of product.
const (
	AuthRole           = "craftista_auth"
	ProductRole        = "craftista_product"
	RecommendationRole = "craftista_recommendation"
)

// Passwords are those of the service roles. Roles belong to the whole server: two databases of one server share them.
type Passwords struct {
	Auth           string
	Product        string
	Recommendation string
}

func (p Passwords) check() error {
	var errs []error
	for _, r := range p.roles() {
		if r.password == "" {
			errs = append(errs, fmt.Errorf("the password of %s is empty", r.name))
		}
	}
	return errors.Join(errs...)
}

type role struct {
	name, schema, password string
}

func (p Passwords) roles() []role {
	return []role{
		{AuthRole, "auth", p.Auth},
		{ProductRole, "product", p.Product},
		{RecommendationRole, "recommendation", p.Recommendation},
	}
}

// ensureRoles stands outside goose: roles outlive a database, and passwords change without a migration.
func ensureRoles(ctx context.Context, conn *sql.Conn, p Passwords) error {
	for _, r := range p.roles() {
		if err := ensureRole(ctx, conn, r); err != nil {
			return fmt.Errorf("create role %s: %w", r.name, err)
		}
		if _, err := conn.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+pq.QuoteIdentifier(r.schema)); err != nil {
			return fmt.Errorf("create schema %s: %w", r.schema, err)
		}
	}
	return nil
}

// ensureRole tries again after a race: the lock of Up covers one database, and roles belong to the whole server. In
// each race one process succeeds, so that a few attempts are enough.
func ensureRole(ctx context.Context, conn *sql.Conn, r role) error {
	const query = `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`
	for attempts := 20; ; attempts-- {
		var exists bool
		if err := conn.QueryRowContext(ctx, query, r.name).Scan(&exists); err != nil {
			return err
		}
		statement := "CREATE ROLE "
		if exists {
			statement = "ALTER ROLE "
		}
		verifier, err := scramVerifier(r.password)
		if err != nil {
			return err
		}
		_, err = conn.ExecContext(ctx, statement+pq.QuoteIdentifier(r.name)+" LOGIN PASSWORD "+pq.QuoteLiteral(verifier))
		if !raced(err) || attempts == 0 {
			return err
		}
	}
}

func raced(err error) bool {
	return pq.As(err,
		"42710", // duplicate_object: created since the query
		"23505", // unique_violation: created at the same moment
		"XX000", // internal_error, "tuple concurrently updated": altered at the same moment
	) != nil
}

// scramVerifier is what PostgreSQL stores of a password (RFC 5803), made here so that the password itself never stands
// in a statement, where a server log would keep it.
func scramVerifier(password string) (string, error) {
	const rounds = 4096
	salt := make([]byte, 16)
	rand.Read(salt)
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	client := sha256.Sum256(sign(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	server := sign(salted, "Server Key")
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, encode(salt), encode(client[:]), encode(server)), nil
}

func sign(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
