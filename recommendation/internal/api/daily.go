package api

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"craftista/recommendation/internal/recommend"
	"craftista/shared/web"
)

const (
	day       = 24 * time.Hour // UTC has no shorter or longer ones
	monthOnly = "2006-01"
)

// daily answers for the product of the day, the same from 00:00 to 24:00 UTC.
type daily struct {
	recommend.Recommender
	now func() time.Time
}

type dailyReply struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url"`
	Votes       int64  `json:"votes"`
	Date        string `json:"date"`              // YYYY-MM-DD in UTC
	Deleted     bool   `json:"deleted,omitempty"` // nobody can vote for it any more
}

func replyOf(d recommend.Day) dailyReply {
	return dailyReply{
		ID: d.ID, Name: d.Name, Description: d.Description, ImageURL: d.ImageURL, Votes: d.Votes,
		Date: d.Date.Format(time.DateOnly), Deleted: d.Deleted,
	}
}

// show answers GET /api/origami-of-the-day?date=.
func (d daily) show(w http.ResponseWriter, r *http.Request) error {
	today := d.today()
	date, err := param(r, "date", "must be a day of the calendar as YYYY-MM-DD", today, parseTime(time.DateOnly))
	if err != nil {
		return err
	}
	p, err := d.Daily(r.Context(), date, today)
	if err != nil {
		return err
	}
	return web.ReplyJSONWithETag(w, r, d.cacheControl(date, today), replyOf(recommend.Day{Date: date, Product: p}))
}

// cacheControl lets today's answer live until midnight and not a second longer.
// A past day's product is final, but its votes are not: a day at most, like
// today's, and then the ETag saves the body.
func (d daily) cacheControl(date, today time.Time) string {
	age := day
	if date.Equal(today) {
		age = max(0, today.Add(day).Sub(d.now()))
	}
	return fmt.Sprintf("public, max-age=%d", int(age.Seconds()))
}

// archive answers GET /api/origami-of-the-day/archive?month= with the recorded
// days of that month, which are those somebody asked about while they lasted. It
// records none itself.
func (d daily) archive(w http.ResponseWriter, r *http.Request) error {
	today := d.today()
	thisMonth := today.AddDate(0, 0, 1-today.Day())
	month, err := param(r, "month", "must be a month of the calendar as YYYY-MM", thisMonth, parseTime(monthOnly))
	if err != nil {
		return err
	}
	days, before, after, err := d.Archive(r.Context(), month, today)
	if err != nil {
		return err
	}
	addLink(w, r, "prev", before)
	addLink(w, r, "next", after)
	reply := make([]dailyReply, len(days))
	for i, recorded := range days {
		reply[i] = replyOf(recorded)
	}
	return web.ReplyJSONWithETag(w, r, briefly, reply)
}

// addLink adds a Link (RFC 8288) to the month of that day, if there is one.
func addLink(w http.ResponseWriter, r *http.Request, rel string, day time.Time) {
	if !day.IsZero() {
		to := url.URL{Path: r.URL.Path, RawQuery: url.Values{"month": {day.Format(monthOnly)}}.Encode()}
		w.Header().Add("Link", "<"+to.String()+`>; rel="`+rel+`"`)
	}
}

func (d daily) today() time.Time { return d.now().UTC().Truncate(day) }

func parseTime(layout string) func(string) (time.Time, error) {
	return func(text string) (time.Time, error) { return time.Parse(layout, text) }
}
