// Package db makes Craftista's database: the roles, the schemas and their migrations, and the seed data.
package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"time"

	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
)

//go:embed migrations seed
var sources embed.FS

// Up creates what is missing of the roles and the schemas, sets the roles' passwords to p, and applies every pending
// migration. Any number of replicas may call it at once: the first one does the work and the others find it done. A
// second call changes nothing but the stored hashes of the passwords. A database that was made by another version
// is refused and stays as it is.
//
// The user of adminURL needs CREATEROLE and CREATE on the database; it need not be a superuser.
func Up(ctx context.Context, adminURL string, p Passwords) error {
	if err := p.check(); err != nil {
		return err
	}
	pool, err := open(adminURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	conn, err := lockCurrent(ctx, pool)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := ensureRoles(ctx, conn, p); err != nil {
		return err
	}
	for _, r := range p.roles() {
		if err := migrate(ctx, pool, r.schema); err != nil {
			return err
		}
		// So that a service can tell whether its schema is the one it needs.
		grant := fmt.Sprintf("GRANT SELECT ON %s.goose_db_version TO %s", r.schema, r.name) //nolint:gosec // names of ours
		if _, err := conn.ExecContext(ctx, grant); err != nil {
			return fmt.Errorf("let %s read its version: %w", r.name, err)
		}
	}
	return nil
}

// RoleURL is the database of adminURL as seen by one of the service roles.
func RoleURL(adminURL, role, password string) (string, error) {
	u, err := parse(adminURL)
	if err != nil {
		return "", err
	}
	u.User = url.UserPassword(role, password)
	return u.String(), nil
}

func schemas() []string {
	return []string{"auth", "product", "recommendation"}
}

func open(adminURL string) (*sql.DB, error) {
	if _, err := parse(adminURL); err != nil {
		return nil, err
	}
	connector, err := pq.NewConnector(adminURL)
	if err != nil {
		return nil, fmt.Errorf("read database URL: %w", withoutURL(err))
	}
	return sql.OpenDB(connector), nil
}

func parse(adminURL string) (*url.URL, error) {
	u, err := url.Parse(adminURL)
	if err != nil {
		return nil, fmt.Errorf("read database URL: %w", withoutURL(err))
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New("the database URL must start with postgres://")
	}
	return u, nil
}

// withoutURL drops the URL that a parse error repeats: it holds a password.
func withoutURL(err error) error {
	if parsing, ok := errors.AsType[*url.Error](err); ok {
		return parsing.Err
	}
	return err
}

// lock waits for the session-level advisory lock that serialises Up and Seed; it ends with the connection. It polls,
// because a statement that blocks would hold a snapshot and deadlock with a migration's CREATE INDEX CONCURRENTLY, and
// does so itself, because goose's locker polls once a second at best.
func lock(ctx context.Context, pool *sql.DB) (*sql.Conn, error) {
	const query = `SELECT pg_try_advisory_lock(7231098154)`
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var locked bool
		err := conn.QueryRowContext(ctx, query).Scan(&locked)
		if err == nil && locked {
			return conn, nil
		}
		if err == nil {
			select {
			case <-tick.C:
				continue
			case <-ctx.Done():
				err = context.Cause(ctx)
			}
		}
		return nil, errors.Join(fmt.Errorf("wait for the migration lock: %w", err), conn.Close())
	}
}

func migrate(ctx context.Context, pool *sql.DB, schema string) error {
	provider, err := newProvider(pool, schema)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate schema %s: %w", schema, err)
	}
	return nil
}

func newProvider(pool *sql.DB, schema string) (*goose.Provider, error) {
	files, err := fs.Sub(sources, path.Join("migrations", schema))
	if err != nil {
		return nil, fmt.Errorf("open migrations of %s: %w", schema, err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, files,
		goose.WithTableName(schema+".goose_db_version"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("read migrations of %s: %w", schema, err)
	}
	return provider, nil
}
