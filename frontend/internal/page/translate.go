package page

import (
	"strconv"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/view"
)

// tints is how many colours of paper the style sheet has.
const tints = 6

func productURL(id int64) string { return "/origamis/" + decimal(id) }

func (s *site) card(p backend.Product, voted bool) view.Card {
	return view.Card{
		ID: decimal(p.ID), Name: p.Name, URL: productURL(p.ID),
		Art: s.art(p, ""), Level: level(p.Difficulty), Vote: voteModel(p.ID, p.Name, p.Votes, voted),
	}
}

func voteModel(id int64, name string, votes int64, voted bool) view.Vote {
	return view.Vote{ID: decimal(id), Name: name, Count: plural(votes, "vote"), Voted: voted}
}

func level(difficulty string) view.Level {
	switch difficulty {
	case "easy":
		return view.Level{Label: "Easy", Steps: 1}
	case "intermediate":
		return view.Level{Label: "Intermediate", Steps: 2}
	case "advanced":
		return view.Level{Label: "Advanced", Steps: 3}
	default:
		return view.Level{Label: difficulty}
	}
}

// plural counts things: "1 vote", "1,234 votes".
func plural(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return thousands(n) + " " + thing + "s"
}

// thousands groups the digits of n, which is not negative.
func thousands(n int64) string {
	digits := decimal(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// longDate turns 2026-11-22 into Sunday 22 November, and leaves what is no date
// as it is.
func longDate(date string) string {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return day.Format("Monday 2 January")
}

// day is a date in words, in UTC; minute has the time too.
func day(t time.Time) string    { return t.UTC().Format("2 January 2006") }
func minute(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

func decimal(id int64) string { return strconv.FormatInt(id, 10) }

func (s *site) pickList(picks []backend.Pick) []view.Pick {
	list := make([]view.Pick, len(picks))
	for i, p := range picks {
		list[i] = view.Pick{
			ID: decimal(p.ID), Name: p.Name, URL: productURL(p.ID), Reason: p.Reason,
			Count: plural(p.Votes, "vote"), Art: s.art(p.Product, ""),
		}
	}
	return list
}
