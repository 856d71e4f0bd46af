package postgres

import (
	"context"
	"fmt"
	"time"

	"craftista/auth/internal/throttle"

	"github.com/lib/pq"
)

// Counts implements throttle.Store.
func (s *Store) Counts(ctx context.Context, keys [][]byte, now time.Time) (map[string]throttle.Count, error) {
	const query = `
		SELECT key, failures, last_at AS lastat
		  FROM auth.throttle
		 WHERE key = ANY ($1)
		   AND forget_at > $2`
	return s.counts(ctx, query, pq.ByteaArray(keys), now)
}

// Fail implements throttle.Store. The rows are locked in one order, so that two at
// once do not wait for each other. It also deletes some expired counts.
func (s *Store) Fail(ctx context.Context, keys [][]byte, now, forget time.Time) (map[string]throttle.Count, error) {
	const query = `
		INSERT INTO auth.throttle AS t (key, failures, last_at, forget_at)
		SELECT key, 1, $2::timestamptz, $3::timestamptz
		  FROM unnest($1::bytea[]) AS key
		 ORDER BY key
		    ON CONFLICT (key) DO UPDATE
		   SET failures = CASE WHEN t.forget_at <= excluded.last_at THEN 1 ELSE t.failures + 1 END,
		       last_at = excluded.last_at,
		       forget_at = excluded.forget_at
		RETURNING key, failures, last_at AS lastat`
	if err := s.deleteOldCounts(ctx, now); err != nil {
		return nil, err
	}
	return s.counts(ctx, query, pq.ByteaArray(keys), now, forget)
}

// Set implements throttle.Store. It also deletes some expired counts.
func (s *Store) Set(ctx context.Context, key []byte, failures int, now, forget time.Time) error {
	const query = `
		INSERT INTO auth.throttle (key, failures, last_at, forget_at)
		VALUES ($1, $2, $3, $4)
		    ON CONFLICT (key) DO UPDATE
		   SET failures = excluded.failures,
		       last_at = excluded.last_at,
		       forget_at = excluded.forget_at`
	if err := s.deleteOldCounts(ctx, now); err != nil {
		return err
	}
	return exec(ctx, s.db, "set throttle count", query, key, failures, now, forget)
}

func (s *Store) deleteOldCounts(ctx context.Context, now time.Time) error {
	const query = `
		DELETE FROM auth.throttle
		 WHERE key IN (
		       SELECT key
		         FROM auth.throttle
		        WHERE forget_at <= $1
		        ORDER BY forget_at
		        LIMIT 20
		          FOR UPDATE SKIP LOCKED)`
	return exec(ctx, s.db, "delete old throttle counts", query, now)
}

func (s *Store) counts(ctx context.Context, query string, args ...any) (map[string]throttle.Count, error) {
	var rows []struct {
		Key []byte
		throttle.Count
	}
	if err := s.db.SelectContext(ctx, &rows, query, args...); err != nil {
		return nil, fmt.Errorf("count for throttle: %w", err)
	}
	counts := map[string]throttle.Count{}
	for _, row := range rows {
		counts[string(row.Key)] = row.Count
	}
	return counts, nil
}
