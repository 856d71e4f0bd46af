package cache

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"craftista/shared/pg"
	"craftista/shared/telemetry"

	"github.com/jmoiron/sqlx"
)

// table is the store in PostgreSQL: lost only together with the votes. It is
// safe for concurrent use.
type table struct {
	reading *sqlx.DB // one connection of its own: no number of readers holds it up
	writing *sqlx.DB
}

// openTable returns the table of the database at url, to be written through db,
// which stays the caller's to close.
func openTable(url string, db *sqlx.DB, t *telemetry.Telemetry) (*table, error) {
	reading, err := pg.Open(url, t)
	if err != nil {
		return nil, err
	}
	reading.SetMaxOpenConns(1)
	reading.SetConnMaxIdleTime(0) // kept for good: when the server is out of connections, another could not be had
	reading.SetConnMaxLifetime(0)
	return &table{reading: reading, writing: db}, nil
}

func (t *table) close() error { return t.reading.Close() }

// read implements store. A lost connection alone does not mean that PostgreSQL
// is unavailable: it is tried again on a new one. A server that does not respond
// for as long as pg allows is unavailable.
func (t *table) read(ctx context.Context) (generation int64, fenced bool, err error) {
	generation, fenced, err = t.readOnce(ctx)
	var network net.Error
	if pg.Unreachable(err) && (!errors.As(err, &network) || !network.Timeout()) {
		generation, fenced, err = t.readOnce(ctx)
	}
	if pg.Unreachable(err) {
		err = fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return generation, fenced, err
}

func (t *table) readOnce(ctx context.Context) (generation int64, fenced bool, err error) {
	const query = `
		SELECT generation, fenced_until > clock_timestamp()
		  FROM product.cache_generation`
	if err := t.reading.QueryRowContext(ctx, query).Scan(&generation, &fenced); err != nil {
		return 0, false, fmt.Errorf("select cache generation: %w", err)
	}
	return generation, fenced, nil
}

// fence implements store.
func (t *table) fence(ctx context.Context, term time.Duration) error {
	const query = `
		UPDATE product.cache_generation
		   SET generation = generation + 1,
		       fenced_until = greatest(fenced_until, clock_timestamp() + $1 * interval '1 millisecond')`
	if _, err := t.writing.ExecContext(ctx, query, term.Milliseconds()); err != nil {
		return fmt.Errorf("fence the cache: %w", err)
	}
	return nil
}
