package origami

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"craftista/shared/fault"
	"craftista/shared/web"
)

// monthOnly is how a month is written: 2026-11.
const monthOnly = "2006-01"

// Archive answers GET /api/origami-of-the-day/archive?month= with the days of
// that month that are recorded, which are those somebody asked about while they
// lasted. It records none itself.
func (d Daily) Archive(w http.ResponseWriter, r *http.Request) error {
	today := d.now().UTC().Truncate(day)
	month, err := monthParam(r, today)
	if err != nil {
		return err
	}
	days, err := d.store.archive(r.Context(), month, today)
	if err != nil {
		return err
	}
	around, err := d.store.monthsAround(r.Context(), month, today)
	if err != nil {
		return err
	}
	addLink(w, r, "prev", around.Before)
	addLink(w, r, "next", around.After)
	reply := make([]dailyReply, len(days))
	for i, recorded := range days {
		reply[i] = recorded.on(recorded.Day)
	}
	return web.ReplyTagged(w, r, briefly, reply)
}

type recordedDay struct {
	product
	Day time.Time `db:"day"`
}

// archive are the recorded days of the month that begins then, in order and none
// after today. Days whose piece was erased are left out, and today's if it was
// deleted, see Daily.piece.
func (s *Store) archive(ctx context.Context, month, today time.Time) ([]recordedDay, error) {
	const query = `
		SELECT d.day, p.id, p.name, p.description, p.image_url, p.votes, p.difficulty, p.folds, p.paper, p.created_at, p.updated_at,
		       p.deleted_at IS NOT NULL AS deleted
		FROM recommendation.daily AS d JOIN product.products AS p ON p.id = d.product_id
		WHERE d.day >= $1 AND d.day < $2 AND (d.day < $3 OR d.day = $3 AND p.deleted_at IS NULL)
		ORDER BY d.day`
	var days []recordedDay
	if err := s.db.SelectContext(ctx, &days, query, month, month.AddDate(0, 1, 0), today); err != nil {
		return nil, fmt.Errorf("select days of %s: %w", month.Format(monthOnly), err)
	}
	return days, nil
}

// around is a day of the closest month with a piece on either side.
type around struct {
	Before sql.NullTime `db:"before"`
	After  sql.NullTime `db:"after"`
}

func (s *Store) monthsAround(ctx context.Context, month, today time.Time) (around, error) {
	const query = `
		SELECT (SELECT d.day
		        FROM recommendation.daily AS d JOIN product.products AS p ON p.id = d.product_id
		        WHERE d.day < $1 AND d.day <= $3
		        ORDER BY d.day DESC LIMIT 1) AS before,
		       (SELECT d.day
		        FROM recommendation.daily AS d JOIN product.products AS p ON p.id = d.product_id
		        WHERE d.day >= $2 AND (d.day < $3 OR d.day = $3 AND p.deleted_at IS NULL)
		        ORDER BY d.day LIMIT 1) AS after`
	var a around
	if err := s.db.GetContext(ctx, &a, query, month, month.AddDate(0, 1, 0), today); err != nil {
		return around{}, fmt.Errorf("select months around %s: %w", month.Format(monthOnly), err)
	}
	return a, nil
}

// addLink adds a Link (RFC 8288) to the month of that day, if there is one.
func addLink(w http.ResponseWriter, r *http.Request, rel string, day sql.NullTime) {
	if day.Valid {
		to := url.URL{Path: r.URL.Path, RawQuery: url.Values{"month": {day.Time.Format(monthOnly)}}.Encode()}
		w.Header().Add("Link", "<"+to.String()+`>; rel="`+rel+`"`)
	}
}

// monthParam is the first day of the query's month, of today's if it has none.
func monthParam(r *http.Request, today time.Time) (time.Time, error) {
	query, err := web.Query(r)
	text := query.Get("month")
	if err != nil || text == "" {
		return today.AddDate(0, 0, 1-today.Day()), err
	}
	month, err := time.Parse(monthOnly, text)
	var checks fault.Checks
	checks.Require(err == nil, "month", "must be a month of the calendar as YYYY-MM")
	return month, checks.Err()
}
