package page

import (
	"context"
	"strconv"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/view"
	"craftista/shared/web"
)

// calendar is the month with its recorded products. Where they cannot be learnt it
// says so.
func (h dailyPage) calendar(ctx context.Context, at when) view.Calendar {
	model := view.Calendar{Month: at.month.Format("January 2006"), Heading: "The days so far"}
	days, before, after, err := h.services.Recommendation.Archive(ctx, at.month.Format(monthOnly))
	if err != nil {
		web.RecordError(ctx, err)
		model.Unavailable = true
		return model
	}
	model.Before, model.After = monthLink(before), monthLink(after)
	model.Note = note(at, len(days))
	model.Weeks = h.weeks(at, days)
	return model
}

func note(at when, days int) string {
	switch {
	case at.month.After(at.today):
		return "These days are in the future."
	case days == 0:
		return "No day of this month has a piece. One is chosen when somebody first visits that day."
	default:
		return "A piece is chosen when somebody first visits that day."
	}
}

// weeks are the month's, from Monday to Sunday; days of its neighbours are blank.
func (h dailyPage) weeks(at when, days []backend.Daily) [][7]view.CalendarDay {
	recorded := map[string]backend.Daily{}
	for _, d := range days {
		recorded[d.Date] = d
	}
	weeks := [][7]view.CalendarDay{{}}
	for date := at.month; date.Month() == at.month.Month(); date = date.AddDate(0, 0, 1) {
		weekday := (int(date.Weekday()) + 6) % 7 // Monday is 0
		if weekday == 0 && date.Day() > 1 {
			weeks = append(weeks, [7]view.CalendarDay{})
		}
		cell := view.CalendarDay{
			Number: strconv.Itoa(date.Day()), Today: date.Equal(at.today), Shown: date.Equal(at.date),
		}
		if d, ok := recorded[date.Format(time.DateOnly)]; ok {
			cell.Name, cell.URL, cell.Art = d.Name, dayURL(d.Date), h.art(d.Product, "")
		}
		weeks[len(weeks)-1][weekday] = cell
	}
	return weeks
}

// monthLink leads to a month such as 2026-11; it is zero for what is none.
func monthLink(month string) view.MonthLink {
	first, err := time.Parse(monthOnly, month)
	if err != nil {
		return view.MonthLink{}
	}
	return view.MonthLink{Label: first.Format("January 2006"), URL: dailyPath + "?month=" + month}
}
