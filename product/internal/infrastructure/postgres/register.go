package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/pg"
	"craftista/shared/telemetry"

	"github.com/jmoiron/sqlx"
)

// Register is the core.Register in table cache_trust. It is safe for concurrent
// use.
type Register struct {
	reading *sqlx.DB // one connection of its own: no rush of readers holds it up
	writing *sqlx.DB
}

// OpenRegister returns the register of the database at url. It is read over a
// connection of its own, in the background, so without spans: there would be
// several a second. It is written through db, which stays the caller's
// to close. Close the register in the end.
func OpenRegister(url string, db *sqlx.DB, t *telemetry.Telemetry) (*Register, error) {
	reading, err := pg.Open(url, t)
	if err != nil {
		return nil, err
	}
	reading.SetMaxOpenConns(1)
	reading.SetConnMaxIdleTime(0) // kept for good: when the server is out of connections, another could not be had
	reading.SetConnMaxLifetime(0)
	return &Register{reading: reading, writing: db}, nil
}

// Close closes the connection for reading.
func (r *Register) Close() error { return r.reading.Close() }

// Read implements core.Register. A lost connection alone does not mean that
// PostgreSQL is away: it is tried again on a new one. A server that is silent
// for as long as pg allows is away.
func (r *Register) Read(ctx context.Context) (epoch int64, vetoed bool, err error) {
	epoch, vetoed, err = r.read(ctx)
	if away(err) && !timedOut(err) {
		epoch, vetoed, err = r.read(ctx)
	}
	if away(err) {
		err = fmt.Errorf("%w: %w", core.ErrAway, err)
	}
	return epoch, vetoed, err
}

func (r *Register) read(ctx context.Context) (epoch int64, vetoed bool, err error) {
	const query = `
		SELECT epoch, vetoed_until > clock_timestamp()
		  FROM product.cache_trust`
	if err := r.reading.QueryRowContext(ctx, query).Scan(&epoch, &vetoed); err != nil {
		return 0, false, fmt.Errorf("select cache trust: %w", err)
	}
	return epoch, vetoed, nil
}

// Veto implements core.Register.
func (r *Register) Veto(ctx context.Context, term time.Duration) error {
	const query = `
		UPDATE product.cache_trust
		   SET epoch = epoch + 1,
		       vetoed_until = greatest(vetoed_until, clock_timestamp() + $1 * interval '1 millisecond')`
	if _, err := r.writing.ExecContext(ctx, query, term.Milliseconds()); err != nil {
		return fmt.Errorf("veto the cache: %w", err)
	}
	return nil
}

// away reports whether err means that PostgreSQL takes no connection at all, so
// that nobody votes either: the network, or SQLSTATE class 08 (connection) or
// 57P (stops or starts). One that is out of connections is not away.
func away(err error) bool {
	var network net.Error
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		return strings.HasPrefix(state.SQLState(), "08") || strings.HasPrefix(state.SQLState(), "57P")
	}
	return errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func timedOut(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
