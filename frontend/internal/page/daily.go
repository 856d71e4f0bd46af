package page

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

const (
	dailyPath = "/daily"
	monthOnly = "2006-01"
)

// when is what a request of /daily asks about: a day, or a month whole.
type when struct {
	today   time.Time // at 00:00 UTC, as is each time here
	date    time.Time // the zero time for a month whole
	month   time.Time // its first day
	byQuery bool      // the day was named, instead of being today's as it comes
}

// dailyPage is the page of a day, and of a month.
type dailyPage struct {
	*site
	services backend.Services
}

// show answers GET /daily: today's product and its month; with date another day's,
// with month the calendar of that month alone.
func (h dailyPage) show(w http.ResponseWriter, r *http.Request) error {
	at, err := h.when(r)
	if err != nil {
		return err
	}
	var model view.Daily
	var daily backend.Daily
	var dailyErr error
	var wg sync.WaitGroup
	wg.Go(func() { model.Calendar = h.calendar(r.Context(), at) })
	if !at.date.IsZero() {
		wg.Go(func() { model.Day, daily, dailyErr = h.day(r.Context(), at) })
	}
	wg.Wait()
	if dailyErr != nil {
		return dailyErr
	}
	about := "A piece for every day, at Craftista: " + dailyTitle(model) + ". " + daily.Description
	social := h.openGraph(r, "website", dailyTitle(model), about, daily.Product)
	return h.pageWithOpenGraph(w, r, dailyStatus(at, model.Day), dailyTitle(model), social, view.DailyPage(model))
}

// dailyStatus says to whoever follows a link to a day or a month that there is
// nothing, or nothing now. Today's page as it comes has a gap instead.
func dailyStatus(at when, d *view.Day) int {
	switch {
	case at.month.After(at.today):
		return http.StatusNotFound
	case d == nil || d.Missing == "" || !at.byQuery:
		return http.StatusOK
	case d.RetryURL != "":
		return http.StatusServiceUnavailable
	default:
		return http.StatusNotFound
	}
}

// dailyTitle names the page of a day or of a month.
func dailyTitle(d view.Daily) string {
	switch {
	case d.Day == nil:
		return "Pieces of " + d.Calendar.Month
	case d.Day.Name == "":
		return d.Day.Title
	default:
		return d.Day.Name + ", " + d.Day.Date
	}
}

// when reads date and month; date wins. One that is none is BadRequest.
func (h dailyPage) when(r *http.Request) (when, error) {
	query, err := web.Query(r)
	if err != nil {
		return when{}, err
	}
	today := h.settings.Now().UTC().Truncate(24 * time.Hour)
	at := when{today: today, date: today}
	switch date, month := query.Get("date"), query.Get("month"); {
	case date != "":
		at.byQuery = true
		at.date, err = time.Parse(time.DateOnly, date)
	case month != "":
		at.month, err = time.Parse(monthOnly, month)
		at.date = time.Time{}
		return at, badTime(err, "month")
	}
	at.month = at.date.AddDate(0, 0, 1-at.date.Day())
	return at, badTime(err, "day")
}

func badTime(err error, what string) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.BadRequest, "that is no %s of the calendar", what)
}

// day is the product of the day with the person's own vote marked. A day without
// one is a state to show, and so is a service that is unavailable.
func (h dailyPage) day(ctx context.Context, at when) (*view.Day, backend.Daily, error) {
	model := &view.Day{
		Title: "Piece of the day", Date: at.date.Format("Monday 2 January 2006"), Today: at.date.Equal(at.today),
		Art: h.drawing("crane", "0"),
	}
	if at.date.After(at.today) {
		model.Missing = "Not chosen yet"
		model.Why = "The piece of a day appears at midnight UTC."
		return model, backend.Daily{}, nil
	}
	daily, err := h.services.Recommendation.DailyOn(ctx, at.date.Format(time.DateOnly))
	switch fault.KindOf(err) {
	case fault.None:
		h.showDay(ctx, model, daily)
	case fault.NotFound:
		model.Missing, model.Why = missing(model.Today)
	case fault.Unavailable:
		web.RecordError(ctx, err)
		model.Missing = "Not available right now"
		model.Why = "The piece of this day cannot be loaded. Please try again in a moment."
		model.RetryURL = dayURL(at.date.Format(time.DateOnly))
	default:
		return nil, daily, err
	}
	return model, daily, nil
}

// showDay fills in the day's product. One that has left the gallery since can neither
// be looked at nor voted for.
func (h dailyPage) showDay(ctx context.Context, model *view.Day, daily backend.Daily) {
	model.Name, model.Description, model.Stale = daily.Name, daily.Description, daily.Stale
	model.Art = h.art(daily.Product, daily.Name+", folded from paper")
	if daily.Deleted {
		model.Deleted = "It was removed from the gallery later, with " + plural(daily.Votes, "vote") + "."
		return
	}
	model.ID, model.URL = decimal(daily.ID), productURL(daily.ID)
	voted := slices.Contains(votedFor(ctx, h.services.Catalogue, daily.ID).OrigamiIDs, daily.ID)
	model.Vote = voteModel(daily.ID, daily.Name, daily.Votes, voted)
}

func dayURL(date string) string { return dailyPath + "?date=" + date }

func missing(today bool) (heading, why string) {
	if today {
		return "No piece yet", "The gallery is empty today. Please come back later."
	}
	return "No piece that day", "A piece is chosen when somebody first visits that day. Nobody did."
}
