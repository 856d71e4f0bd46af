package pg

import (
	"context"
	"fmt"

	"craftista/shared/fault"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Schema is what a service needs of the database before it can work.
type Schema struct {
	Name    string // whose migrations are counted in its table goose_db_version
	Version int64  // the last migration that this build of the service knows
	Columns string // a statement that names every column that the service uses, and reads no row
}

// Ready is nil if db has all that the service needs. What a migration would fix is an Unavailable fault, whose message
// says so; other errors are the database's.
func (s Schema) Ready(ctx context.Context, db *sqlx.DB) error {
	const older = "the schema %s is older than this version of the service needs: migrate the database"
	version, err := s.version(ctx, db)
	switch {
	case err != nil:
		return err
	case version < s.Version:
		return fault.New(fault.Unavailable, older+" (from %d to %d)", s.Name, version, s.Version)
	}
	_, err = db.ExecContext(ctx, s.Columns)
	switch e := pq.As(err, "42703", "42P01", "42501"); {
	case e != nil && e.Code == "42703":
		return fault.New(fault.Unavailable, "the schema lacks a column: %s", e.Message).Because(err)
	case e != nil && e.Code == "42P01":
		return fault.New(fault.Unavailable, "the schema %s lacks a table", s.Name).Because(err)
	case e != nil:
		return s.forbidden(e)
	case err != nil:
		return fmt.Errorf("find the columns: %w", err)
	}
	return nil
}

// Current is an Unavailable fault if the database has migrations that this build of the service does not know. That is
// so for a while whenever a new version is rolled out, so it is no reason not to be ready.
func (s Schema) Current(ctx context.Context, db *sqlx.DB) error {
	version, err := s.version(ctx, db)
	if err == nil && version > s.Version {
		const newer = "the schema %s is newer than this version of the service knows (%d instead of %d)"
		err = fault.New(fault.Unavailable, newer, s.Name, version, s.Version)
	}
	return err
}

func (s Schema) forbidden(e *pq.Error) error {
	const text = "the role in DATABASE_URL may not read the schema %s (%s): migrate the database, or correct the role"
	return fault.New(fault.Unavailable, text, s.Name, e.Message).Because(e)
}

// version is the latest migration of the schema.
func (s Schema) version(ctx context.Context, db *sqlx.DB) (version int64, err error) {
	query := `SELECT coalesce(max(version_id), 0) FROM ` + s.Name + `.goose_db_version WHERE is_applied`
	err = db.GetContext(ctx, &version, query)
	switch e := pq.As(err); {
	case e != nil && e.Code == "42501": // also where an older migrate let no service read it
		return 0, s.forbidden(e)
	case e != nil && (e.Code.Class() == "28" || e.Code == "3D000"):
		const refused = "the database does not let this service sign in: migrate it, or correct DATABASE_URL"
		return 0, fault.New(fault.Unavailable, refused).Because(err)
	case pq.As(err, "3F000", "42P01") != nil:
		const missing = "the database has no schema %s yet: migrate it"
		return 0, fault.New(fault.Unavailable, missing, s.Name).Because(err)
	case err != nil:
		return 0, fmt.Errorf("read the version of the schema: %w", err)
	}
	return version, nil
}
