package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/lib/pq"
)

// lockCurrent is lock for a database that is blank or was made by these migrations. It refuses every other one before
// anything is changed.
func lockCurrent(ctx context.Context, pool *sql.DB) (*sql.Conn, error) {
	conn, err := lock(ctx, pool)
	if err != nil {
		return nil, err
	}
	if err := checkVersions(ctx, pool); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// checkVersions is nil if this build has every migration that was applied to the database. The first migrations were
// numbered from 1 on and later replaced by one per schema, so an unknown version may be an older or a newer one.
func checkVersions(ctx context.Context, pool *sql.DB) error {
	for _, schema := range schemas() {
		provider, err := newProvider(pool, schema)
		if err != nil {
			return err
		}
		known := []int64{0} // goose's own first row
		for _, s := range provider.ListSources() {
			known = append(known, s.Version)
		}
		unknown, err := unknownVersion(ctx, pool, schema, known)
		switch {
		case err != nil:
			return err
		case unknown > slices.Max(known):
			return fmt.Errorf("this database was made by a newer version of Craftista (schema %s has version %d) and was not "+
				"changed: use that version, or a new database", schema, unknown)
		case unknown > 0:
			return fmt.Errorf("this database was made by an earlier version of Craftista (schema %s has version %d) and was "+
				"not changed: use a new database, or for make run remove the folder of STACK_DATA or name another",
				schema, unknown)
		}
	}
	return nil
}

// unknownVersion returns the latest applied version that is not known, or 0.
func unknownVersion(ctx context.Context, pool *sql.DB, schema string, known []int64) (version int64, err error) {
	table := schema + ".goose_db_version"
	var exists bool
	if err := pool.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&exists); err != nil {
		return 0, fmt.Errorf("find the migrations of %s: %w", schema, err)
	}
	if !exists {
		return 0, nil
	}
	query := `SELECT coalesce(max(version_id), 0) FROM ` + table + ` WHERE version_id <> ALL ($1)`
	if err := pool.QueryRowContext(ctx, query, pq.Array(known)).Scan(&version); err != nil {
		return 0, fmt.Errorf("read the migrations of %s: %w", schema, err)
	}
	return version, nil
}
