package page_test

import (
	"strings"
	"testing"
	"time"

	"craftista/frontend/internal/page"

	"github.com/google/go-cmp/cmp"
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
	got := map[string]string{
		"title": text(a.tags("title")[0]), "h1": text(a.tags("h1")[0]), "day": text(a.class("eyebrow")),
		"story": text(a.class("lead")),
		"vote":  text(a.id("vote-1")), "takes back": attr(a.id("vote-1"), "action"), "closer": attr(a.class("button"),
			"href"),
		"caption": text(a.tags("caption")[0]), "headings": text(a.tags("thead")[0]), "note": text(a.class("calendar-note")),
		"anchor": attr(a.class("day"), "id"),
	}
	want := map[string]string{
		"title": "Crane, Sunday 22 November 2026 · Craftista", "h1": "Crane",
		"day": "Piece of the day Sunday 22 November 2026", "story": "A crane.",
		"vote": "41 votes Voted for Crane, take the vote back", "takes back": "/origamis/1/unvote", "closer": "/origamis/1",
		"caption":  "November 2026",
		"headings": "Mo Monday Tu Tuesday We Wednesday Th Thursday Fr Friday Sa Saturday Su Sunday",
		"note":     "Days without a piece are those when nobody looked in.", "anchor": "piece-1",
	}
	a.check(t, "the answer", 200, got, want)
	if diff := cmp.Diff([]string{"3 Fox /daily?date=2026-11-03", "22 Crane /daily?date=2026-11-22"},
		links(t, a.class("calendar"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"August 2026 /daily?month=2026-08"}, links(t, a.class("months"))); diff != "" {
		t.Error(diff)
	}
	if shown := a.class("is-shown"); text(shown) != "22 Crane" || !strings.Contains(markup(t, shown),
		`aria-current="page"`) {
		t.Errorf("shown is %s", markup(t, shown))
	}
}

// TestDailyOfADeletedPiece: its day shows it as it was, with nothing to press that
// leads nowhere.
func TestDailyOfADeletedProduct(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/daily?date=2026-08-31", w.signedIn)
	day := a.class("day")
	got := []any{a.status, text(a.tags("h1")[0]), text(a.class("lead")), text(a.class("gone")), attr(day, "id"),
		links(t, day)}
	want := []any{200, "Whale", "A whale.", "It has left the gallery since, with 1,234,567 votes.", "",
		[]string{"Today’s piece /daily"}}
	check(t, "the page", got, want)
	for e := range elements(day) {
		if e.Data == "form" || e.Data == "button" || attr(e, "data-count") != "" {
			t.Errorf("there is %s", markup(t, e))
		}
	}
	check(t, "the answer", len(links(t, a.class("calendar"))), 1, links(t, a.class("calendar"))[0],
		"31 Whale /daily?date=2026-08-31")
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
	const came, empty, day = "Days without a piece are those when nobody looked in.",
		"No day of this month has a piece: nobody looked in.", "Piece of the day "
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
		"?date=2026-11-23": {404, "Still to come", day + "Monday 23 November 2026", came,
			[]string{"August 2026 /daily?month=2026-08"}},
		"?date=9999-12-31": {404, "Still to come", day + "Friday 31 December 9999", "These days are still to come.",
			[]string{}},
		"?month=2026-08": {200, "Pieces of August 2026", "", came, []string{"November 2026 /daily?month=2026-11"}},
		"?month=2026-12": {404, "Pieces of December 2026", "", "These days are still to come.", []string{}},
		"?month=0001-01": {200, "Pieces of January 0001", "", empty, []string{}},
		"?date=&month=": {200, "Crane", day + "Sunday 22 November 2026", came,
			[]string{"August 2026 /daily?month=2026-08"}},
	} {
		a := w.get("/daily" + query)
		got := []any{a.status, text(a.tags("h1")[0]), text(a.class("eyebrow")), text(a.class("calendar-note")),
			links(t, a.class("months"))}
		check(t, query, []any{want.status, want.h1, want.eyebrow, want.note, want.months}, got)
	}
	for _, query := range []string{"?date=2026-02-29", "?date=today", "?month=2026-13", "?month=2026-11-01", "?date=%00",
		"?date=%zz", "?date=2026-11-3"} {
		a := w.get("/daily" + query)
		a.check(t, query, 400, text(a.tags("h1")[0]), "That is knotted")
	}
}

func TestDailyOfAnEmptyGallery(t *testing.T) {
	t.Parallel()
	// of which the service knows nothing
	w := newWebsite(t, page.Settings{Now: func() time.Time { return time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC) }})
	a := w.get("/daily")
	a.check(t, "the answer", 200, text(a.tags("h1")[0]), "No piece yet")
}

func TestDailyWhileRecommendationIsAway(t *testing.T) {
	t.Parallel()
	for failure, inject := range failures() {
		t.Run(failure, func(t *testing.T) {
			w := startWebsite(t)
			inject(w.recommendation)
			a := w.promptly("/daily")
			got := []any{a.status, text(a.tags("h1")[0]), attr(a.class("today-act").FirstChild, "href"),
				text(a.class("away-heading")), len(a.tags("table"))}
			if diff := cmp.Diff([]any{200, "Away just now", "/daily?date=2026-11-22", "The archive is out of sight", 0},
				got); diff != "" {
				t.Error(diff)
			}
			a = w.promptly("/daily?date=2026-11-03")
			a.check(t, "a past day", 503, text(a.tags("h1")[0]), "Away just now")
			a = w.promptly("/origamis/1")
			got = []any{a.status, text(a.tags("h1")[0]), text(a.class("away-heading")), text(a.id("vote-1"))}
			if diff := cmp.Diff([]any{200, "Crane", "No company just now", "41 votes Vote for Crane"}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
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
	if got := []string{text(a.id("also-heading")), text(a.class("also"))}; got[0] != "People who love this also love" ||
		!strings.Contains(got[1], "Fox in good company 1 vote") {
		t.Errorf("%q", got)
	}
	w.mu.Lock()
	w.products[0]["votes"] = 0
	w.mu.Unlock()
	check(t, "the answer", text(w.get("/origamis/1").id("also-heading")), "Loved by many")
	w.mu.Lock()
	w.products = w.products[:1]
	w.mu.Unlock()
	check(t, "the only piece has company", w.get("/origamis/1").class("also") == nil, true)
}
