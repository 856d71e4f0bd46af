// Package pg is how the services use PostgreSQL: a bounded, traced pool, one
// transaction helper and the names of broken constraints.
package pg

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"craftista/shared/telemetry"

	"github.com/XSAM/otelsql"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

// The pool's limits for one process. PostgreSQL allows 100 connections by
// default, 97 of them for roles like ours: three services with two replicas each,
// and one more for each product, stay below.
const (
	maxOpen     = 15
	maxIdle     = 15
	maxLifetime = 30 * time.Minute
	maxIdleTime = 5 * time.Minute
)

// responseTimeout is how long a server may send nothing in the middle of a handshake or a query. No query of ours takes
// that long, so such a server is unresponsive, even if its kernel still accepts connections.
const responseTimeout = 5 * time.Second

// ErrCommit marks a transaction whose commit went wrong: unless PostgreSQL
// itself refused it, it is unknown whether the change was made.
var ErrCommit = errors.New("commit transaction")

// Open returns a pool for url ("postgres://role:password@host/database"), whose queries are spans of the request that
// asks. Statements are prepared, or if the telemetry's SQLComments is set carry the trace id to the server's log as a
// comment, so that no two are the same. It does not connect: services start in any order, and Ping says whether the
// database is there. The caller closes it.
func Open(url string, t *telemetry.Telemetry) (*sqlx.DB, error) {
	config, err := pq.NewConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read database URL: %w", redacted{})
	}
	config.BinaryParameters = true // parameters of what is not prepared go with it, without a round trip before
	config.Runtime = map[string]string{
		"jit":      "off", // compiling a query takes longer than any of ours runs
		"TimeZone": "UTC", // which times then have in Go too
	}
	connector, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, fmt.Errorf("read database URL: %w", redacted{})
	}
	connector.Dialer(dialer{&net.Dialer{Timeout: responseTimeout}})
	var source driver.Connector = connector
	if !t.SQLComments {
		source = preparer{connector}
	}
	metrics, system := otelsql.WithMeterProvider(t.Metrics), otelsql.WithAttributes(semconv.DBSystemNamePostgreSQL)
	db := otelsql.OpenDB(source, metrics, system, otelsql.WithTracerProvider(t.Traces),
		otelsql.WithTextMapPropagator(t.Propagator), otelsql.WithSQLCommenter(t.SQLComments),
		otelsql.WithSpanOptions(otelsql.SpanOptions{
			OmitConnResetSession: true, OmitConnectorConnect: true, OmitRows: true, DisableErrSkip: true, SpanFilter: traced,
		}))
	db.SetMaxOpenConns(maxOpen)
	db.SetMaxIdleConns(maxIdle)
	db.SetConnMaxLifetime(maxLifetime)
	db.SetConnMaxIdleTime(maxIdleTime)
	if _, err := otelsql.RegisterDBStatsMetrics(db, metrics, system); err != nil {
		return nil, errors.Join(fmt.Errorf("measure the pool: %w", err), db.Close())
	}
	return sqlx.NewDb(db, "postgres"), nil
}

// traced is false for a query that no request asked for, such as one of a background loop: it would be a trace of its
// own.
func traced(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
	return trace.SpanContextFromContext(ctx).IsValid()
}

// redacted stands for a parse error, which may repeat the password.
type redacted struct{}

func (redacted) Error() string {
	return "it is not of the form postgres://role:password@host:port/database"
}

// dialer connects to PostgreSQL. lib/pq blocks in a read until the server
// answers, whatever the deadline of the query's context, so the limit is on the
// connection.
type dialer struct{ *net.Dialer }

// DialTimeout is there for the interface: lib/pq prefers DialContext.
func (d dialer) DialTimeout(network, address string, _ time.Duration) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext implements pq.DialerContext.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return conn{c}, nil
}

// conn gives up on a server that is unresponsive.
type conn struct{ net.Conn }

func (c conn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(responseTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// InTx runs do in a transaction: committed if do returns nil, rolled back if it
// returns an error or panics. A failed commit is an error, ErrCommit, so nil
// means that the change is durable.
func InTx(ctx context.Context, db *sqlx.DB, do func(*sqlx.Tx) error) error {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%w: %w", ErrCommit, err)
	}
	return nil
}

// Unreachable reports whether err means that PostgreSQL takes no connection at all: an error of the network, or
// SQLSTATE class 08 (connection) or 57P (it stops or starts).
func Unreachable(err error) bool {
	if e := pq.As(err); e != nil {
		return e.Code.Class() == "08" || strings.HasPrefix(string(e.Code), "57P")
	}
	_, network := errors.AsType[net.Error](err)
	return network && !errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// Unavailable reports whether err means that PostgreSQL cannot serve the service now, and may later: it is unreachable,
// out of time, or in a state that passes.
func Unavailable(err error) bool {
	if e := pq.As(err); e != nil && slices.ContainsFunc(passing(), func(p string) bool {
		return strings.HasPrefix(string(e.Code), p)
	}) {
		return true
	}
	return Unreachable(err) || errors.Is(err, context.DeadlineExceeded)
}

// passing are SQLSTATEs, or their classes, of states that pass by themselves or once an operator acts (PostgreSQL's
// documentation, appendix A).
func passing() []string {
	return []string{
		"25006",          // read-only, such as a standby before it takes over
		"25P03", "25P04", // a transaction that took too long
		"28", "3D000", "3F000", "42P01", // not migrated yet: no role, database, schema or table
		"40",    // rolled back because of another transaction, such as a deadlock
		"53",    // out of connections, disk or memory
		"55P03", // a lock that was not to be had in time
		"57",    // cancelled, or the server stops or starts
		"58",    // the disk fails
	}
}

// RowError is the error of a query for one row: nil if err is, absent if there is no row, else err with the operation
// in front.
func RowError(err error, operation string, absent error) error {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return absent
	case err != nil:
		return fmt.Errorf("%s: %w", operation, err)
	default:
		return nil
	}
}

// Violated is the name of the constraint that err says was broken (SQLSTATE
// class 23), "" if it says no such thing.
func Violated(err error) string {
	if e := pq.As(err); e != nil && e.Code.Class() == "23" {
		return e.Constraint
	}
	return ""
}
