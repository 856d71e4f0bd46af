package origami

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
)

// recorded is the id of the piece that day showed, or a NotFound fault if nobody
// asked for it then. The piece may be gone since.
func (s *Store) recorded(ctx context.Context, day time.Time) (int64, error) {
	const query = `
		SELECT product_id
		FROM recommendation.daily
		WHERE day = $1`
	var id int64
	switch err := s.db.GetContext(ctx, &id, query, day); {
	case errors.Is(err, sql.ErrNoRows):
		return 0, fault.New(fault.NotFound, "no piece was chosen for %s", day.Format(time.DateOnly))
	case err != nil:
		return 0, fmt.Errorf("select piece of %s: %w", day.Format(time.DateOnly), err)
	}
	return id, nil
}

// record is the id of the piece that day shows, chosen now unless it was before;
// a NotFound fault if there is none to choose from. Any number of replicas may
// ask at once and get the same answer.
//
// The choice is the piece whose last day is longest ago, so that all others have
// their day before one returns; a piece that never had one goes first. Chance
// decides among those and the record makes it last: the order of a first round is
// nobody's, and later rounds repeat it, because a new shuffle could bring the
// last piece of one round back as the first of the next.
func (s *Store) record(ctx context.Context, day time.Time) (int64, error) {
	// One chooser at a time: the primary key settles a race for one day, but at
	// midnight two replicas may choose for two days and not see each other's.
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
	const read = `
		SELECT product_id
		FROM recommendation.daily
		WHERE day = $1`
	var id int64
	err := pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, lock); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, insert, day); err != nil {
			return err
		}
		return tx.GetContext(ctx, &id, read, day)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, fault.New(fault.NotFound, "the gallery has no piece to choose from yet")
	case err != nil:
		return 0, fmt.Errorf("record piece of %s: %w", day.Format(time.DateOnly), err)
	}
	return id, nil
}
