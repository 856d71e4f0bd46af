package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"craftista/recommendation/internal/recommend"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
)

// Recorded implements recommend.Store.
func (s *Store) Recorded(ctx context.Context, day time.Time) (int64, error) {
	const query = `
		SELECT product_id
		FROM recommendation.daily
		WHERE day = $1`
	var id int64
	err := s.db.GetContext(ctx, &id, query, day)
	date := day.Format(time.DateOnly)
	return id, pg.RowError(err, "select product of "+date, fault.New(fault.NotFound, "no piece was chosen for %s", date))
}

// Record implements recommend.Store.
//
// It chooses the product whose last day is longest ago, so that all others have their day before one returns; a product
// that never had one goes first. Among those the choice is random, and the record makes it last: the order of a first
// round is random and later rounds repeat it, because a new shuffle could bring the last product of one round back as
// the first of the next.
func (s *Store) Record(ctx context.Context, day time.Time) (int64, error) {
	// One chooser at a time: the primary key settles a race for one day, but at midnight two replicas may choose for
	// two days and not see each other's.
	const lock = `SELECT pg_advisory_xact_lock(5830214967)`
	const insert = `
		INSERT INTO recommendation.daily (day, product_id)
		SELECT $1, p.id
		FROM product.products AS p
		LEFT JOIN recommendation.daily AS d ON d.product_id = p.id
		WHERE p.deleted_at IS NULL
		GROUP BY p.id
		ORDER BY max(d.day) NULLS FIRST, random()
		LIMIT 1
		ON CONFLICT (day) DO NOTHING`
	err := pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, lock); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, insert, day)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("record product of %s: %w", day.Format(time.DateOnly), err)
	}
	id, err := s.Recorded(ctx, day)
	if fault.KindOf(err) == fault.NotFound {
		err = fault.New(fault.NotFound, "the gallery has no piece to choose from yet")
	}
	return id, err
}

// Archive implements recommend.Store.
func (s *Store) Archive(
	ctx context.Context, month, today time.Time,
) (days []recommend.Day, before, after time.Time, err error) {
	const query = `
		SELECT d.day AS date, ` + columns + `
		FROM recommendation.daily AS d JOIN product.products AS p ON p.id = d.product_id
		WHERE d.day >= $1 AND d.day < $2 AND (d.day < $3 OR d.day = $3 AND p.deleted_at IS NULL)
		ORDER BY d.day`
	const around = `
		SELECT (SELECT d.day
		        FROM recommendation.daily AS d JOIN product.products AS p ON p.id = d.product_id
		        WHERE d.day < $1 AND d.day <= $3
		        ORDER BY d.day DESC LIMIT 1),
		       (SELECT d.day
		        FROM recommendation.daily AS d JOIN product.products AS p ON p.id = d.product_id
		        WHERE d.day >= $2 AND (d.day < $3 OR d.day = $3 AND p.deleted_at IS NULL)
		        ORDER BY d.day LIMIT 1)`
	next := month.AddDate(0, 1, 0)
	if err := s.db.SelectContext(ctx, &days, query, month, next, today); err != nil {
		return nil, before, after, fmt.Errorf("select days from %s: %w", month.Format(time.DateOnly), err)
	}
	var b, a sql.NullTime
	if err := s.db.QueryRowContext(ctx, around, month, next, today).Scan(&b, &a); err != nil {
		return nil, before, after, fmt.Errorf("select months around %s: %w", month.Format(time.DateOnly), err)
	}
	return days, b.Time, a.Time, nil
}
