package origami

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"craftista/shared/fault"
	"craftista/shared/web"
)

const day = 24 * time.Hour // UTC has no shorter or longer ones

// Daily shows everyone the same piece from 00:00 to 24:00 UTC. It is safe for
// concurrent use.
type Daily struct {
	store *Store
	now   func() time.Time
}

// NewDaily returns the daily piece by the clock now.
func NewDaily(s *Store, now func() time.Time) Daily { return Daily{s, now} }

type dailyReply struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url"`
	Votes       int64  `json:"votes"`
	Date        string `json:"date"`              // YYYY-MM-DD in UTC
	Deleted     bool   `json:"deleted,omitempty"` // it left the gallery since: nobody can vote for it or look at it elsewhere
}

// Show answers GET /api/origami-of-the-day?date=. Without a date, or with
// today's, the first request of a day makes the choice.
func (d Daily) Show(w http.ResponseWriter, r *http.Request) error {
	today := d.now().UTC().Truncate(day)
	date, err := dateParam(r, today)
	if err != nil {
		return err
	}
	p, err := d.piece(r.Context(), date, today)
	if err != nil {
		return err
	}
	return web.ReplyTagged(w, r, d.cacheControl(date, today), p.on(date))
}

func (p product) on(date time.Time) dailyReply {
	return dailyReply{
		ID: p.ID, Name: p.Name, Description: p.Description, ImageURL: p.ImageURL, Votes: p.Votes,
		Date: date.Format(time.DateOnly), Deleted: p.Deleted,
	}
}

// piece is what date shows. Past days are history: they show their piece as it
// was last, deleted or not. One that is deleted on its day is NotFound for the
// rest of it: nobody can vote for it, and another one would not be the same for
// everyone all day.
func (d Daily) piece(ctx context.Context, date, today time.Time) (product, error) {
	if date.After(today) {
		return product{}, fault.New(fault.NotFound, "the piece of %s is still to come", date.Format(time.DateOnly))
	}
	id, err := d.store.recorded(ctx, date)
	if date.Equal(today) && fault.KindOf(err) == fault.NotFound {
		id, err = d.store.record(ctx, date)
	}
	if err != nil {
		return product{}, err
	}
	p, err := d.store.product(ctx, id)
	if err == nil && p.Deleted && date.Equal(today) {
		return product{}, gone()
	}
	return p, err
}

// cacheControl lets today's answer live until midnight and not a second longer.
// A past day's piece is final, but its votes are not: a day at most, like
// today's, and then the ETag saves the body.
func (d Daily) cacheControl(date, today time.Time) string {
	age := day
	if date.Equal(today) {
		age = max(0, today.Add(day).Sub(d.now()))
	}
	return fmt.Sprintf("public, max-age=%d", int(age.Seconds()))
}

// dateParam is the date of the query, today if it has none.
func dateParam(r *http.Request, today time.Time) (time.Time, error) {
	query, err := web.Query(r)
	text := query.Get("date")
	if err != nil || text == "" {
		return today, err
	}
	date, err := time.Parse(time.DateOnly, text)
	var checks fault.Checks
	checks.Require(err == nil, "date", "must be a day of the calendar as YYYY-MM-DD")
	return date, checks.Err()
}
