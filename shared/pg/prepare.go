package pg

import (
	"context"
	"database/sql/driver"

	"github.com/lib/pq"
)

// maxPrepared is how many statements a connection prepares at most; further ones are planned each time they run.
const maxPrepared = 100

type planEachTimeKey struct{}

// PlanEachTime has queries of the returned context planned each time they run. It is for those whose best plan depends
// on their parameters more than PostgreSQL's estimates say, such as a search for a word that many rows have.
func PlanEachTime(ctx context.Context) context.Context {
	return context.WithValue(ctx, planEachTimeKey{}, true)
}

// preparer makes connections that prepare statements.
type preparer struct{ driver.Connector }

// Connect implements driver.Connector.
func (p preparer) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &preparedConn{pqConn: c.(pqConn), statements: map[string]driver.Stmt{}}, nil
}

// pqConn is what lib/pq's connections are.
type pqConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// preparedConn prepares each statement that has parameters when it first runs, so that PostgreSQL parses it once per
// connection and, if that is no worse, plans it once. Like any driver.Conn it is used by one goroutine at a time.
type preparedConn struct {
	pqConn
	statements map[string]driver.Stmt // by text
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.pqConn.QueryContext(ctx, query, args)
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(ctx, args)
	if c.forget(query, err) {
		return c.pqConn.QueryContext(ctx, query, args)
	}
	return rows, err
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.pqConn.ExecContext(ctx, query, args)
	}
	result, err := s.(driver.StmtExecContext).ExecContext(ctx, args)
	if c.forget(query, err) {
		return c.pqConn.ExecContext(ctx, query, args)
	}
	return result, err
}

// statement is the prepared one, nil if the query runs without.
func (c *preparedConn) statement(ctx context.Context, query string, args []driver.NamedValue) (driver.Stmt, error) {
	if s := c.statements[query]; s != nil {
		return s, nil
	}
	if len(args) == 0 || len(c.statements) == maxPrepared || ctx.Value(planEachTimeKey{}) != nil {
		return nil, nil //nolint:nilnil // as the comment says
	}
	s, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.statements[query] = s
	return s, nil
}

// forget reports whether err means that the server does not have the statement any more, after DISCARD ALL, or has one
// for tables of before a migration. Then it is prepared again the next time.
func (c *preparedConn) forget(query string, err error) bool {
	if pq.As(err, "26000", "0A000") == nil { // invalid_sql_statement_name, feature_not_supported
		return false
	}
	delete(c.statements, query)
	return true
}
