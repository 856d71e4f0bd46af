package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"craftista/product/internal/core"

	"github.com/lib/pq"
)

// tally is a change and the snapshot that it was read in; without a change, the
// snapshot alone.
type tally struct {
	Snapshot string        `db:"snapshot"`
	ID       sql.NullInt64 `db:"id"`
	Votes    sql.NullInt64 `db:"votes"`
	Change   sql.NullInt64 `db:"votes_xid"`
}

// Changed implements core.Tallies.
func (s *Store) Changed(ctx context.Context, after core.Moment, last core.Tally, limit int) ([]core.Tally, core.Moment, error) {
	query, args := changedQuery(after, last, limit)
	tallies, now, err := s.changes(ctx, query, args...)
	if err != nil {
		return nil, core.Moment{}, fmt.Errorf("select changes from %d: %w", after.Floor, err)
	}
	return tallies, now, nil
}

// changedQuery walks an index from the oldest change that may be news. Changes
// yet to come can only stand in rows of a restored dump: all but the reading of
// everything pass them over, or they would be news at every look.
func changedQuery(after core.Moment, last core.Tally, limit int) (query string, args []any) {
	const changed = `
		SELECT now.snapshot, p.id, p.votes, p.votes_xid
		  FROM (SELECT pg_current_snapshot() AS snapshot) AS now
		  LEFT JOIN (SELECT id, votes, votes_xid
		               FROM product.products
		              WHERE (votes_xid, id) > ($1, $2)
		                AND votes_xid < CASE WHEN $3 THEN '18446744073709551615' ELSE pg_snapshot_xmax(pg_current_snapshot()) END
		                AND NOT pg_visible_in_snapshot(votes_xid, $4)
		                AND deleted_at IS NULL
		              ORDER BY votes_xid, id
		              LIMIT $5) AS p
		    ON TRUE
		 ORDER BY p.votes_xid, p.id`
	from := strconv.FormatUint(max(after.Floor, last.Change), 10)
	return changed, []any{from, last.ID, after.Ceiling <= 1, snapshot(after), limit}
}

// ChangedOf implements core.Tallies.
func (s *Store) ChangedOf(ctx context.Context, after core.Moment, ids []int64) ([]core.Tally, core.Moment, error) {
	const query = `
		SELECT now.snapshot, p.id, p.votes, p.votes_xid
		  FROM (SELECT pg_current_snapshot() AS snapshot) AS now
		  LEFT JOIN product.products AS p
		    ON p.id = ANY ($1)
		   AND NOT pg_visible_in_snapshot(p.votes_xid, $2)
		   AND p.deleted_at IS NULL
		 ORDER BY p.votes_xid, p.id`
	tallies, now, err := s.changes(ctx, query, pq.Array(ids), snapshot(after))
	if err != nil {
		return nil, core.Moment{}, fmt.Errorf("select changes of %d pieces: %w", len(ids), err)
	}
	return tallies, now, nil
}

func (s *Store) changes(ctx context.Context, query string, args ...any) ([]core.Tally, core.Moment, error) {
	var rows []tally
	if err := s.db.SelectContext(ctx, &rows, query, args...); err != nil {
		return nil, core.Moment{}, err
	}
	tallies := make([]core.Tally, 0, len(rows))
	for _, r := range rows {
		if r.ID.Valid {
			tallies = append(tallies, core.Tally{ID: r.ID.Int64, Votes: r.Votes.Int64, Change: uint64(r.Change.Int64)}) // #nosec G115 -- positive
		}
	}
	now, err := moment(rows[0].Snapshot)
	return tallies, now, err
}

// snapshot is PostgreSQL's text of a pg_snapshot: xmin:xmax:xip,…
func snapshot(m core.Moment) string {
	open := make([]string, len(m.Open))
	for i, xid := range m.Open {
		open[i] = strconv.FormatUint(xid, 10)
	}
	return fmt.Sprintf("%d:%d:%s", m.Floor, m.Ceiling, strings.Join(open, ","))
}

func moment(snapshot string) (core.Moment, error) {
	numbers := strings.FieldsFunc(snapshot, func(r rune) bool { return r == ':' || r == ',' })
	xids := make([]uint64, len(numbers))
	for i, text := range numbers {
		xid, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return core.Moment{}, fmt.Errorf("read snapshot: %w", err)
		}
		xids[i] = xid
	}
	if len(xids) < 2 {
		return core.Moment{}, fmt.Errorf("read snapshot: %q is none", snapshot)
	}
	return core.Moment{Floor: xids[0], Ceiling: xids[1], Open: xids[2:]}, nil
}
