package page

import (
	"strconv"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/view"
)

// tints is how many colours of paper the style sheet has.
const tints = 6

func productURL(id int64) string { return "/origamis/" + strconv.FormatInt(id, 10) }

func (s *site) art(p backend.Product, alt string) view.Art {
	return view.Art{URL: s.imageURL(p.ImageURL), Alt: alt, Tint: "tint-" + strconv.FormatInt(p.ID%tints, 10)}
}

func (s *site) card(p backend.Product, voted bool) view.Card {
	return view.Card{
		ID: strconv.FormatInt(p.ID, 10), Name: p.Name, URL: productURL(p.ID),
		Art: s.art(p, ""), Level: level(p.Difficulty), Vote: voteModel(p.ID, p.Name, p.Votes, voted),
	}
}

func voteModel(id int64, name string, votes int64, voted bool) view.Vote {
	return view.Vote{ID: strconv.FormatInt(id, 10), Name: name, Count: plural(votes, "vote"), Voted: voted}
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
	digits := strconv.FormatInt(n, 10)
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

func decimal(id int64) string { return strconv.FormatInt(id, 10) }
