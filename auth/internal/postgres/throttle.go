package postgres

import (
	"context"
	"fmt"
	"time"

	"craftista/auth/internal/throttle"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Throttle implements throttle.Store. It is safe for concurrent use.
type Throttle struct{ db *sqlx.DB }

// NewThrottle returns a throttle's store on db, which the caller closes.
func NewThrottle(db *sqlx.DB) *Throttle { return &Throttle{db: db} }

// Counts implements throttle.Store.
func (s *Throttle) Counts(ctx context.Context, keys [][]byte, now time.Time) (map[string]throttle.Count, error) {
	const query = `
		SELECT key, failures, last_at
		  FROM auth.throttle
		 WHERE key = ANY ($1)
		   AND forget_at > $2`
	return s.counts(ctx, query, pq.ByteaArray(keys), now)
}

// Fail implements throttle.Store. The rows are locked in one order, so that two at
// once do not wait for each other. It also deletes what is to be forgotten.
func (s *Throttle) Fail(ctx context.Context, keys [][]byte, now, forget time.Time) (map[string]throttle.Count, error) {
	const clean = `
		DELETE FROM auth.throttle
		 WHERE key IN (
		       SELECT key
		         FROM auth.throttle
		        WHERE forget_at <= $1
		        ORDER BY forget_at
		        LIMIT 20
		          FOR UPDATE SKIP LOCKED)`
	const query = `
		INSERT INTO auth.throttle AS t (key, failures, last_at, forget_at)
		SELECT key, 1, $2::timestamptz, $3::timestamptz
		  FROM unnest($1::bytea[]) AS key
		 ORDER BY key
		    ON CONFLICT (key) DO UPDATE
		   SET failures = CASE WHEN t.forget_at <= excluded.last_at THEN 1 ELSE t.failures + 1 END,
		       last_at = excluded.last_at,
		       forget_at = excluded.forget_at
		RETURNING key, failures, last_at`
	if _, err := s.db.ExecContext(ctx, clean, now); err != nil {
		return nil, fmt.Errorf("delete old throttle counts: %w", err)
	}
	return s.counts(ctx, query, pq.ByteaArray(keys), now, forget)
}

// Succeed implements throttle.Store.
func (s *Throttle) Succeed(ctx context.Context, keys [][]byte, known []byte, now, forget time.Time) error {
	const query = `
		WITH forgotten AS (
		      DELETE FROM auth.throttle
		       WHERE key IN (
		             SELECT key
		               FROM auth.throttle
		              WHERE key = ANY ($1)
		              ORDER BY key
		                FOR UPDATE))
		INSERT INTO auth.throttle (key, failures, last_at, forget_at)
		VALUES ($2, 0, $3, $4)
		    ON CONFLICT (key) DO UPDATE
		   SET last_at = excluded.last_at,
		       forget_at = excluded.forget_at`
	if _, err := s.db.ExecContext(ctx, query, pq.ByteaArray(keys), known, now, forget); err != nil {
		return fmt.Errorf("forget throttle counts: %w", err)
	}
	return nil
}

func (s *Throttle) counts(ctx context.Context, query string, args ...any) (map[string]throttle.Count, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("count for throttle: %w", err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[string]throttle.Count{}
	for rows.Next() {
		var key []byte
		var c throttle.Count
		if err := rows.Scan(&key, &c.Failures, &c.LastAt); err != nil {
			return nil, fmt.Errorf("count for throttle: %w", err)
		}
		counts[string(key)] = c
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count for throttle: %w", err)
	}
	return counts, nil
}
