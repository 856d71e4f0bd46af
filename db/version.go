package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"time"
)

// Migration is one numbered step of one schema.
type Migration struct {
	Schema    string
	Name      string    // the file it is written in
	AppliedAt time.Time // zero while it is pending
}

// Status lists every migration, schema by schema, in the order in which Up applies them. It changes nothing, and
// refuses a database of another version as Up does.
func Status(ctx context.Context, adminURL string) ([]Migration, error) {
	pool, err := open(adminURL)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	return status(ctx, pool)
}

// lockCurrent is lock for a database that is blank or was made by these migrations. It refuses every other one before
// anything is changed.
func lockCurrent(ctx context.Context, pool *sql.DB) (*sql.Conn, error) {
	conn, err := lock(ctx, pool)
	if err != nil {
		return nil, err
	}
	if _, err := status(ctx, pool); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func status(ctx context.Context, pool *sql.DB) ([]Migration, error) {
	var all []Migration
	for _, schema := range schemas() {
		provider, err := newProvider(pool, schema)
		if err != nil {
			return nil, err
		}
		times, err := applied(ctx, pool, schema)
		if err != nil {
			return nil, fmt.Errorf("read the migrations of %s: %w", schema, err)
		}
		for _, s := range provider.ListSources() {
			all = append(all, Migration{Schema: schema, Name: path.Base(s.Path), AppliedAt: times[s.Version]})
			delete(times, s.Version)
		}
		if len(times) > 0 {
			return nil, fmt.Errorf("this database was made by another version of Craftista (schema %s has version %d) and was "+
				"not changed: use that version, or a new database; for make run remove the folder of STACK_DATA or name another",
				schema, slices.Max(slices.Collect(maps.Keys(times))))
		}
	}
	return all, nil
}

// applied returns when each migration of the schema was applied, by version. It reads goose's table only where it
// exists, since goose itself would create it.
func applied(ctx context.Context, pool *sql.DB, schema string) (map[int64]time.Time, error) {
	table := schema + ".goose_db_version"
	var exists bool
	err := pool.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&exists)
	if err != nil || !exists {
		return nil, err
	}
	query := `SELECT version_id, tstamp FROM ` + table + ` WHERE version_id > 0` //nolint:gosec // one of our schemas
	rows, err := pool.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	times := map[int64]time.Time{}
	for rows.Next() {
		var version int64
		var at time.Time
		if err := rows.Scan(&version, &at); err != nil {
			return nil, err
		}
		times[version] = at
	}
	return times, rows.Err()
}
