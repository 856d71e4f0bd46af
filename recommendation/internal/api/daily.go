package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"craftista/recommendation/internal/recommend"
	"craftista/shared/fault"
	"craftista/shared/pg"
	"craftista/shared/web"

	"golang.org/x/sync/singleflight"
)

const (
	day       = 24 * time.Hour // UTC has no shorter or longer ones
	monthOnly = "2006-01"
)

const (
	// todayLasts is how old an answer about today's product may be: its votes, and whether it is there.
	todayLasts = time.Second
	// todayTimeout is how long PostgreSQL gets for today's product if there is an earlier answer to give instead; pages
	// wait 850 ms.
	todayTimeout = 400 * time.Millisecond
)

// daily answers for the product of the day, the same from 00:00 to 24:00 UTC.
type daily struct {
	recommend.Recommender
	now   func() time.Time
	reads singleflight.Group      // of today's product
	last  atomic.Pointer[dayRead] // today's product, or a day's before; nil without one
}

// dayRead is the product of a day, as it was at that time or later.
type dayRead struct {
	recommend.Day
	at   time.Time
	etag string
	body []byte // JSON, encoded once for all who ask
}

type dailyReply struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url"`
	Votes       int64  `json:"votes"`
	Date        string `json:"date"`              // YYYY-MM-DD in UTC
	Deleted     bool   `json:"deleted,omitempty"` // nobody can vote for it any more
	Stale       bool   `json:"stale,omitempty"`   // PostgreSQL is unavailable, the rest is from before
}

func replyOf(d recommend.Day) dailyReply {
	return dailyReply{
		ID: d.ID, Name: d.Name, Description: d.Description, ImageURL: d.ImageURL, Votes: d.Votes,
		Date: d.Date.Format(time.DateOnly), Deleted: d.Deleted,
	}
}

// show answers GET /api/origami-of-the-day?date=.
func (d *daily) show(w http.ResponseWriter, r *http.Request) error {
	today := d.today()
	date, err := param(r, "date", "must be a day of the calendar as YYYY-MM-DD", today, parseTime(time.DateOnly))
	if err != nil {
		return err
	}
	if date.Equal(today) {
		return d.showToday(w, r, today)
	}
	p, err := d.Daily(r.Context(), date, today)
	if err != nil {
		return err
	}
	return web.ReplyJSONWithETag(w, r, d.cacheControl(date, today), replyOf(recommend.Day{Date: date, Product: p}))
}

// showToday is show for today, whose product does not change: it is read again once a second, by one query for all who
// ask. While PostgreSQL is unavailable or slow the answer is what was read last, marked as stale.
func (d *daily) showToday(w http.ResponseWriter, r *http.Request, today time.Time) error {
	ctx := r.Context()
	last, fresh := d.lastRead(today)
	if fresh {
		return d.send(w, r, last)
	}
	read := d.reads.DoChan(today.String(), func() (any, error) { return d.readToday(ctx, today) })
	var timeout <-chan time.Time
	if last != nil {
		timeout = time.After(todayTimeout)
	}
	select {
	case result := <-read:
		if result.Err == nil {
			return d.send(w, r, result.Val.(*dayRead))
		}
		if last == nil || !pg.Unavailable(result.Err) {
			return result.Err
		}
		web.RecordError(ctx, result.Err)
	case <-timeout:
		web.RecordError(ctx, errors.New("PostgreSQL takes too long for today's product"))
	case <-ctx.Done():
		return ctx.Err()
	}
	reply := replyOf(last.Day)
	reply.Stale = true
	return web.ReplyJSONWithETag(w, r, "no-cache", reply)
}

func (d *daily) send(w http.ResponseWriter, r *http.Request, today *dayRead) error {
	body := web.RawBody{MediaType: "application/json", Bytes: today.body}
	web.ReplyWithETag(w, r, d.cacheControl(today.Date, today.Date), today.etag, body)
	return nil
}

// lastRead is today's product as it was read last, nil without one, and whether that is good enough.
func (d *daily) lastRead(today time.Time) (last *dayRead, fresh bool) {
	last = d.last.Load()
	if last == nil || !last.Date.Equal(today) {
		return nil, false
	}
	return last, d.now().Sub(last.at) < todayLasts
}

// readToday reads today's product for all who ask at once, whoever of them hangs up, and stores it.
func (d *daily) readToday(ctx context.Context, today time.Time) (read *dayRead, err error) {
	at := d.now()
	last, fresh := d.lastRead(today)
	if fresh { // by whoever asked a moment before
		return last, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), web.RequestTimeout)
	defer cancel()
	var p recommend.Product
	if last == nil {
		p, err = d.Daily(ctx, today, today)
	} else {
		p, err = d.Today(ctx, last.ID)
	}
	if fault.KindOf(err) == fault.NotFound { // deleted since
		d.last.Store(nil)
	}
	if err != nil {
		return nil, err
	}
	read = &dayRead{Day: recommend.Day{Date: today, Product: p}, at: at}
	if read.body, err = json.Marshal(replyOf(read.Day)); err != nil {
		return nil, fmt.Errorf("encode today's product: %w", err)
	}
	read.etag = web.ETag(read.body)
	d.last.Store(read)
	return read, nil
}

// cacheControl lets today's answer live until midnight and not a second longer. A past day's product is final, but its
// votes are not: a day at most, like today's, and then the ETag saves the body.
func (d *daily) cacheControl(date, today time.Time) string {
	age := day
	if date.Equal(today) {
		age = max(0, today.Add(day).Sub(d.now()))
	}
	return fmt.Sprintf("public, max-age=%d", int(age.Seconds()))
}

// archive answers GET /api/origami-of-the-day/archive?month= with the recorded days of that month, which are those
// somebody asked about while they lasted. It records none itself.
func (d *daily) archive(w http.ResponseWriter, r *http.Request) error {
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

func (d *daily) today() time.Time { return d.now().UTC().Truncate(day) }

func parseTime(layout string) func(string) (time.Time, error) {
	return func(text string) (time.Time, error) { return time.Parse(layout, text) }
}
