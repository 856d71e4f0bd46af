package page_test

import (
	"strings"
	"testing"
	"time"

	"craftista/frontend/internal/page"

	"golang.org/x/net/html"
)

// links are the texts and addresses of all links in n.
func links(t *testing.T, n *html.Node) []string {
	t.Helper()
	found := []string{}
	if n == nil {
		return found
	}
	for e := range elements(n) {
		if e.Data == "a" {
			found = append(found, text(e)+" "+attr(e, "href"))
		}
	}
	return found
}

func TestDaily(t *testing.T) {
	w := startWebsite(t)
	w.mine[1] = true
	a := w.get("/daily", w.signedIn)
	a.check(t, "the page", 200,
		text(a.tags("title")[0]), "Crane, Sunday 22 November 2026 · Craftista",
		text(a.tags("h1")[0]), "Crane",
		text(a.class("eyebrow")), "Piece of the day Sunday 22 November 2026, UTC",
		text(a.class("lead")), "A crane.",
		text(a.id("vote-1")), "41 votes Voted for Crane, take the vote back",
		attr(a.id("vote-1"), "action"), "/origamis/1/unvote",
		attr(a.class("button"), "href"), "/origamis/1",
		text(a.tags("caption")[0]), "November 2026",
		text(a.tags("thead")[0]), "Mo Monday Tu Tuesday We Wednesday Th Thursday Fr Friday Sa Saturday Su Sunday",
		text(a.class("calendar-note")),
		"A piece is chosen when somebody first visits that day. A day begins at midnight, UTC.",
		attr(a.class("day"), "id"), "piece-1",
		links(t, a.class("calendar")), []string{"3 Fox /daily?date=2026-11-03", "22 Crane /daily?date=2026-11-22"},
		links(t, a.class("months")), []string{"August 2026 /daily?month=2026-08"},
		text(a.class("is-shown")), "22 Crane",
		markup(t, a.class("is-shown")), has(`aria-current="page"`))
}

// TestDailyOfADeletedProduct: its day shows it as it was, with nothing to press that
// leads nowhere.
func TestDailyOfADeletedProduct(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/daily?date=2026-08-31", w.signedIn)
	day := a.class("day")
	a.check(t, "the page", 200,
		text(a.tags("h1")[0]), "Whale",
		text(a.class("lead")), "A whale.",
		text(a.class("gone")), "It was removed from the gallery later, with 1,234,567 votes.",
		attr(day, "id"), "",
		links(t, day), []string{"Today’s piece /daily"},
		links(t, a.class("calendar")), []string{"31 Whale /daily?date=2026-08-31"})
	for e := range elements(day) {
		if e.Data == "form" || e.Data == "button" || attr(e, "data-count") != "" {
			t.Errorf("there is %s", markup(t, e))
		}
	}
}

// TestCalendarWeeks holds each date under its weekday.
func TestCalendarWeeks(t *testing.T) {
	w := startWebsite(t)
	for month, want := range map[string][]string{
		// begins on a Sunday
		"2026-11": {"......1", "2345678", "9101112131415", "16171819202122", "23242526272829", "30......"},
		"2026-06": {"1234567", "891011121314", "15161718192021", "22232425262728", "2930....."}, // on a Monday
		// four weeks sharp
		"2021-02": {"1234567", "891011121314", "15161718192021", "22232425262728"},
		"2024-02": {"...1234", "567891011", "12131415161718", "19202122232425", "26272829..."}, // a leap year
	} {
		var got []string
		for _, row := range w.get("/daily?month=" + month).tags("tr")[1:] {
			week := ""
			for cell := range elements(row) {
				switch number, _, _ := strings.Cut(text(cell), " "); {
				case cell.Data != "td":
				case number == "":
					week += "."
				default:
					week += number
				}
			}
			got = append(got, week)
		}
		check(t, month, got, want)
	}
}

func TestDailyByDateAndMonth(t *testing.T) {
	w := startWebsite(t)
	const came, empty, day = "A piece is chosen when somebody first visits that day.",
		"No day of this month has a piece. One is chosen when somebody first visits that day.", "Piece of the day "
	for query, want := range map[string]struct {
		status            int
		h1, eyebrow, note string
		months            []string
	}{
		"?date=2026-11-03": {200, "Fox", day + "Tuesday 3 November 2026", came, []string{"August 2026 /daily?month=2026-08"}},
		"?date=2026-11-22": {200, "Crane", day + "Sunday 22 November 2026", came,
			[]string{"August 2026 /daily?month=2026-08"}},
		"?date=2026-08-31&month=2026-11": {
			200, "Whale", day + "Monday 31 August 2026", came, []string{"November 2026 /daily?month=2026-11"},
		},
		"?date=2026-11-04": {404, "No piece that day", day + "Wednesday 4 November 2026", came,
			[]string{"August 2026 /daily?month=2026-08"}},
		"?date=2026-11-23": {404, "Not chosen yet", day + "Monday 23 November 2026", came,
			[]string{"August 2026 /daily?month=2026-08"}},
		"?date=9999-12-31": {404, "Not chosen yet", day + "Friday 31 December 9999", "These days are in the future.",
			[]string{}},
		"?month=2026-08": {200, "Pieces of August 2026", "", came, []string{"November 2026 /daily?month=2026-11"}},
		"?month=2026-12": {404, "Pieces of December 2026", "", "These days are in the future.", []string{}},
		"?month=0001-01": {200, "Pieces of January 0001", "", empty, []string{}},
		"?date=&month=": {200, "Crane", day + "Sunday 22 November 2026", came,
			[]string{"August 2026 /daily?month=2026-08"}},
	} {
		a := w.get("/daily" + query)
		eyebrow := want.eyebrow
		if eyebrow != "" {
			eyebrow += ", UTC"
		}
		a.check(t, query, want.status, text(a.tags("h1")[0]), want.h1, text(a.class("eyebrow")), eyebrow,
			text(a.class("calendar-note")), want.note+" A day begins at midnight, UTC.",
			links(t, a.class("months")), want.months)
	}
	for _, query := range []string{"?date=2026-02-29", "?date=today", "?month=2026-13", "?month=2026-11-01", "?date=%00",
		"?date=%zz", "?date=2026-11-3"} {
		a := w.get("/daily" + query)
		a.check(t, query, 400, text(a.tags("h1")[0]), "Bad request")
	}
}

func TestDailyOfAnEmptyGallery(t *testing.T) {
	// of which the service knows nothing
	w := startWebsite(t, page.Settings{Now: func() time.Time { return time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC) }})
	a := w.get("/daily")
	a.check(t, "the answer", 200, text(a.tags("h1")[0]), "No piece yet")
}

func TestDailyFromBefore(t *testing.T) {
	w := startWebsite(t)
	const note = "We cannot update today’s piece right now. Its votes may have changed since."
	for _, path := range []string{"/", "/daily"} {
		check(t, path, w.get(path).class("why") == nil, true)
	}
	w.products[0]["stale"] = true
	for _, path := range []string{"/", "/daily"} {
		a := w.get(path, w.signedIn)
		a.check(t, path, 200, text(a.class("why")), note, text(a.class("today")), has("41 votes"))
	}
	check(t, "to scripts", w.get("/daily-origami").body, has(`"stale":true`))
}

// TestVoteOnDailyLeadsBack is the way of a vote without script.
func TestVoteOnDailyLeadsBack(t *testing.T) {
	w := startWebsite(t)
	from := header("Referer", w.site.URL+"/daily?date=2026-11-03")
	a := w.post("/origamis/2/vote", nil, w.signedIn, from)
	a.check(t, "the answer", 303, a.header.Get("Location"), "/daily?date=2026-11-03#piece-2")
	if w.get("/daily?date=2026-11-03").id("piece-2") == nil || w.get("/origamis/2").id("piece-2") == nil {
		t.Error("nothing is at #piece-2")
	}
}

func TestAlsoLiked(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/origamis/1")
	check(t, "the page", text(a.id("also-heading")), "People who love this also love",
		text(a.class("also")), has("Fox in good company 1 vote"))
	w.products[0]["votes"] = 0
	check(t, "the answer", text(w.get("/origamis/1").id("also-heading")), "Loved by many")
	w.products = w.products[:1]
	check(t, "the only piece has company", w.get("/origamis/1").class("also") == nil, true)
}
