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

// generationStore is the store in a row of PostgreSQL, where the votes are too: so
// the generation cannot get lost while the votes remain. It is safe for concurrent
// use.
type generationStore struct {
	readDB  *sqlx.DB // one connection of its own, which no other query can occupy
	writeDB *sqlx.DB
}

// openGenerationStore returns the store that reads over a connection of its own to
// the database at url and writes through db, which the caller closes.
func openGenerationStore(url string, db *sqlx.DB, t *telemetry.Telemetry) (*generationStore, error) {
	readDB, err := pg.Open(url, t)
	if err != nil {
		return nil, err
	}
	readDB.SetMaxOpenConns(1)
	readDB.SetConnMaxIdleTime(0) // never closed: a server without free connections would refuse a new one
	readDB.SetConnMaxLifetime(0)
	return &generationStore{readDB: readDB, writeDB: db}, nil
}

func (s *generationStore) close() error { return s.readDB.Close() }

// read implements store. After a lost connection it tries once more on a new one:
// PostgreSQL may be available all the same. After a timeout it does not.
func (s *generationStore) read(ctx context.Context) (generation int64, fenced bool, err error) {
	generation, fenced, err = s.readOnce(ctx)
	var network net.Error
	if pg.Unreachable(err) && (!errors.As(err, &network) || !network.Timeout()) {
		generation, fenced, err = s.readOnce(ctx)
	}
	if pg.Unreachable(err) {
		err = fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return generation, fenced, err
}

func (s *generationStore) readOnce(ctx context.Context) (generation int64, fenced bool, err error) {
	const query = `
		SELECT generation, fenced_until > clock_timestamp()
		  FROM product.cache_generation`
	if err := s.readDB.QueryRowContext(ctx, query).Scan(&generation, &fenced); err != nil {
		return 0, false, fmt.Errorf("select cache generation: %w", err)
	}
	return generation, fenced, nil
}

// fence implements store.
func (s *generationStore) fence(ctx context.Context, duration time.Duration) error {
	const query = `
		UPDATE product.cache_generation
		   SET generation = generation + 1,
		       fenced_until = greatest(fenced_until, clock_timestamp() + $1 * interval '1 millisecond')`
	if _, err := s.writeDB.ExecContext(ctx, query, duration.Milliseconds()); err != nil {
		return fmt.Errorf("fence the cache: %w", err)
	}
	return nil
}
