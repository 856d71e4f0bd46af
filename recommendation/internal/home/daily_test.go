package home_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"craftista/shared/fault"

	"github.com/google/go-cmp/cmp"
)

const dailyPath = "/api/origami-of-the-day"

type daily struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url"`
	Votes       int64  `json:"votes"`
	Date        string `json:"date"`
	Deleted     bool   `json:"deleted"`
}

func TestDailyShowsThePieceOfToday(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 1)
	w.vote(t, 7, 1)
	res := get(t, w.replica(t, at(t, "2026-03-01T10:00:00Z")), dailyPath)
	got := ok[map[string]any](t, res)
	want := map[string]any{
		"id": 1.0, "name": "Model", "description": "A model.", "image_url": "/model.svg", "votes": 1.0, "date": "2026-03-01",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("body (-got +want):\n%s", diff)
	}
}

func TestDailyIsOnePieceForAllWhoAskAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 24)
	replicas := []http.Handler{
		w.replica(t, at(t, "2026-03-01T00:00:00Z")),
		w.replica(t, at(t, "2026-03-01T23:59:59.999Z")),
	}
	answers := atOnce(30, func(i int) *httptest.ResponseRecorder { return get(t, replicas[i%2], dailyPath) })
	first := ok[daily](t, answers[0])
	for _, res := range answers {
		if diff := cmp.Diff(ok[daily](t, res), first); diff != "" {
			t.Errorf("answers differ (-got +first):\n%s", diff)
		}
	}
	var records int
	if err := w.admin.GetContext(t.Context(), &records, `SELECT count(*) FROM recommendation.daily`); err != nil {
		t.Fatal(err)
	}
	if records != 1 {
		t.Errorf("got %d records, want 1", records)
	}
}

// Around midnight replicas may choose for two days at once. Neither may take the
// piece that the other one takes.
func TestDailyIsAnotherPieceForTwoDaysChosenAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 2)
	for day := at(t, "2026-03-01T12:00:00Z")(); day.Month() == time.March; day = day.AddDate(0, 0, 2) {
		var replicas []http.Handler
		for offset := range 2 {
			replicas = append(replicas, w.router(t, func() time.Time { return day.AddDate(0, 0, offset) }))
		}
		answers := atOnce(2, func(i int) *httptest.ResponseRecorder { return get(t, replicas[i], dailyPath) })
		if ok[daily](t, answers[0]).ID == ok[daily](t, answers[1]).ID {
			t.Fatalf("%s and the day after show the same piece", day.Format(time.DateOnly))
		}
	}
}

func TestDailyChangesAtMidnightUTC(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 2)
	tests := []struct {
		name, clock, date string
		same              bool // as the row before
	}{
		{"first second", "2026-03-01T00:00:00Z", "2026-03-01", false},
		{"noon", "2026-03-01T12:00:00Z", "2026-03-01", true},
		{"last second", "2026-03-01T23:59:59Z", "2026-03-01", true},
		{"next day", "2026-03-02T00:00:00Z", "2026-03-02", false},
		{"clock east of UTC", "2026-03-03T01:00:00+05:00", "2026-03-02", true},
		{"clock west of UTC", "2026-03-02T23:00:00-05:00", "2026-03-03", false},
	}
	var before int64
	for _, tt := range tests { // in this order, one after the other
		got := ok[daily](t, get(t, w.replica(t, at(t, tt.clock)), dailyPath))
		if got.Date != tt.date || (got.ID == before) != tt.same {
			t.Errorf("%s: got %d after %d for %s, want date %s, same %t", tt.name, got.ID, before, got.Date, tt.date, tt.same)
		}
		before = got.ID
	}
}

// The date is UTC's whatever time zone the database's sessions are in.
func TestDailyDoesNotFollowTheDatabaseTimeZone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(t, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone TO ''Pacific/Auckland''', current_database()); END $$`)
	w.fold(t, 1)
	h := w.replica(t, at(t, "2026-03-01T23:00:00Z"))
	ok[daily](t, get(t, h, dailyPath))
	if got := ok[daily](t, get(t, h, dailyPath+"?date=2026-03-01")).Date; got != "2026-03-01" {
		t.Errorf("got %s, want 2026-03-01", got)
	}
	created := ok[[]pick](t, get(t, h, picksPath))[0].CreatedAt
	if created != "2026-01-02T03:04:05Z" {
		t.Errorf("got created_at %s, want 2026-01-02T03:04:05Z", created)
	}
}

func TestDailyShowsAllPiecesBeforeOneReturns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 5)
	first, second := w.days(t, "2026-03-01", 5), w.days(t, "2026-03-06", 5)
	if diff := cmp.Diff(slices.Sorted(slices.Values(first)), []int64{1, 2, 3, 4, 5}); diff != "" {
		t.Errorf("first round (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(second, first); diff != "" {
		t.Errorf("second round (-got +want):\n%s", diff)
	}
}

func TestDailyShowsPiecesAddedMeanwhileOnceAndFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 3)
	before := w.days(t, "2026-03-01", 7) // two rounds and one day of the third
	w.fold(t, 2)
	after := w.days(t, "2026-03-08", 5)
	if diff := cmp.Diff(slices.Sorted(slices.Values(after[:2])), []int64{4, 5}); diff != "" {
		t.Errorf("new pieces (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(after[2:], []int64{before[1], before[2], before[0]}); diff != "" {
		t.Errorf("the round goes on (-got +want):\n%s", diff)
	}
}

// days are the pieces of n days, each asked for while it lasts.
func (w *world) days(t *testing.T, from string, n int) []int64 {
	t.Helper()
	now := at(t, from+"T12:00:00Z")()
	h := w.replica(t, func() time.Time { return now })
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = ok[daily](t, get(t, h, dailyPath)).ID
		now = now.AddDate(0, 0, 1)
	}
	return ids
}

func TestDailyByDate(t *testing.T) {
	t.Parallel()
	h := pastDays(t)
	tests := []struct {
		name, query  string
		id           int64
		date, policy string
	}{
		{"today by name", "?date=2026-03-01", 2, "2026-03-01", "public, max-age=43200"},
		{"empty is today", "?date=", 2, "2026-03-01", "public, max-age=43200"},
		{"yesterday", "?date=2026-02-28", 1, "2026-02-28", "public, max-age=86400"},
		{"two days ago", "?date=2026-02-27", 2, "2026-02-27", "public, max-age=86400"},
		{"a piece deleted since", "?date=2026-02-26", 3, "2026-02-26", "public, max-age=86400"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := get(t, h, dailyPath+tt.query)
			want := daily{ID: tt.id, Name: "Model", Description: "A model.", ImageURL: "/model.svg", Date: tt.date, Deleted: tt.id == 3}
			if diff := cmp.Diff(ok[daily](t, res), want); diff != "" {
				t.Errorf("body (-got +want):\n%s", diff)
			}
			wantHeaders(t, res, "Cache-Control", tt.policy)
		})
	}
}

func TestDailyIsNotFound(t *testing.T) {
	t.Parallel()
	h := pastDays(t)
	for date, detail := range map[string]string{
		"2026-02-25": "the piece of that day has left the gallery",
		"2026-02-24": "no piece was chosen for 2026-02-24",
		"0001-01-01": "no piece was chosen for 0001-01-01",
		"0000-12-31": "no piece was chosen for 0000-12-31",
		"2026-03-02": "the piece of 2026-03-02 is still to come",
		"9999-12-31": "the piece of 9999-12-31 is still to come",
	} {
		t.Run(date, func(t *testing.T) {
			t.Parallel()
			wantProblem(t, get(t, h, dailyPath+"?date="+date), dailyPath, http.StatusNotFound, detail)
		})
	}
}

// pastDays is a replica on 1 March whose last four days showed the pieces 4,
// erased since, 3, deleted since, 2 and 1.
func pastDays(t *testing.T) http.Handler {
	t.Helper()
	w := newWorld(t)
	w.fold(t, 4)
	w.exec(t, `INSERT INTO recommendation.daily (day, product_id) VALUES ('2026-02-25', 4), ('2026-02-26', 3), ('2026-02-27', 2), ('2026-02-28', 1)`)
	w.exec(t, `UPDATE product.products SET deleted_at = now() WHERE id = 3`)
	w.exec(t, `DELETE FROM product.products WHERE id = 4`)
	return w.replica(t, at(t, "2026-03-01T12:00:00Z"))
}

func TestDailyRefusesWhatIsNoDate(t *testing.T) {
	t.Parallel()
	h := newWorld(t).replica(t, at(t, "2026-03-01T12:00:00Z"))
	for name, date := range map[string]string{
		"no such day": "2026-02-29",
		"a word":      "yesterday",
		"with a time": "2026-02-28T00:00:00Z",
		"one digit":   "2026-3-1",
		"hostile":     "%27%3B--%00",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantProblem(t, get(t, h, dailyPath+"?date="+date), dailyPath, http.StatusUnprocessableEntity, "the request breaks a rule",
				fault.Field{Field: "date", Message: "must be a day of the calendar as YYYY-MM-DD"})
		})
	}
	wantProblem(t, get(t, h, dailyPath+"?date=%zz"), dailyPath, http.StatusBadRequest, "the query of the URL is not well formed")
}

func TestDailyIsCachedUntilMidnight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 1)
	for clock, want := range map[string]string{
		"2026-03-01T00:00:00Z":      "public, max-age=86400",
		"2026-03-01T00:00:00.001Z":  "public, max-age=86399",
		"2026-03-01T18:30:00Z":      "public, max-age=19800",
		"2026-03-01T23:59:59Z":      "public, max-age=1",
		"2026-03-01T23:59:59.5Z":    "public, max-age=0",
		"2026-03-01T20:00:00-03:00": "public, max-age=3600",
	} {
		wantHeaders(t, get(t, w.replica(t, at(t, clock)), dailyPath), "Cache-Control", want)
	}
}

func TestDailyOfTodayIsNotReplacedOnceDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 2)
	h := w.replica(t, at(t, "2026-03-01T12:00:00Z"))
	chosen := ok[daily](t, get(t, h, dailyPath)).ID
	w.exec(t, `UPDATE product.products SET deleted_at = now(), name = 'Last name' WHERE id = $1`, chosen)
	wantProblem(t, get(t, h, dailyPath), dailyPath, http.StatusNotFound, "the piece of that day has left the gallery")
	if got := w.days(t, "2026-03-02", 2); got[0] != 3-chosen || got[1] != 3-chosen {
		t.Errorf("the next days got %d, want %d", got, 3-chosen)
	}
	later := w.replica(t, at(t, "2026-03-02T12:00:00Z"))
	want := daily{ID: chosen, Name: "Last name", Description: "A model.", ImageURL: "/model.svg", Date: "2026-03-01", Deleted: true}
	if diff := cmp.Diff(ok[daily](t, get(t, later, dailyPath+"?date=2026-03-01")), want); diff != "" {
		t.Errorf("once the day is over (-got +want):\n%s", diff)
	}
}

func TestDailyOfAnEmptyGallery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.replica(t, at(t, "2026-03-01T12:00:00Z"))
	wantProblem(t, get(t, h, dailyPath), dailyPath, http.StatusNotFound, "the gallery has no piece to choose from yet")
	w.fold(t, 1)
	if got := ok[daily](t, get(t, h, dailyPath)).ID; got != 1 {
		t.Errorf("got %d once there is a piece, want 1", got)
	}
}

// atOnce is what n calls answer that start together.
func atOnce(n int, call func(i int) *httptest.ResponseRecorder) []*httptest.ResponseRecorder {
	answers, start := make([]*httptest.ResponseRecorder, n), make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			answers[i] = call(i)
		})
	}
	close(start)
	wg.Wait()
	return answers
}
