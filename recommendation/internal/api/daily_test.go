package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"craftista/recommendation/internal/recommend"
	"craftista/shared/netfault"
	"craftista/shared/waittest"
	"craftista/shared/web"

	"github.com/google/go-cmp/cmp"
)

const (
	dailyPath   = "/api/origami-of-the-day"
	archivePath = dailyPath + "/archive"
)

type daily struct {
	Product
	Date    string `json:"date"`
	Deleted bool   `json:"deleted"`
	Stale   bool   `json:"stale"`
}

// dayOf is the day of a product that addProducts made.
func dayOf(id int64, date string, deleted bool) daily {
	return daily{Product: productOf(id, 0), Date: date, Deleted: deleted}
}

func TestDaily(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 1)
	f.vote(t, 7, 1)
	res := get(t, f.replica(t, clock(t, "2026-03-01T10:00:00Z")), dailyPath)
	got := ok[map[string]any](t, res)
	want := map[string]any{
		"id": 1.0, "name": "Model", "description": "A model.", "image_url": "/model.svg", "votes": 1.0, "date": "2026-03-01",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("body (-got +want):\n%s", diff)
	}
}

func TestDailyChangesAtMidnightUTC(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 2)
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
	now := newClock(t, tests[0].clock)
	h := f.replica(t, now.now)
	var before int64
	for _, tt := range tests { // in this order, one after the other
		now.set(clock(t, tt.clock)())
		got := ok[daily](t, get(t, h, dailyPath))
		if got.Date != tt.date || (got.ID == before) != tt.same {
			t.Errorf("%s: got %d after %d for %s, want date %s, same %t", tt.name, got.ID, before, got.Date, tt.date, tt.same)
		}
		before = got.ID
	}
}

// The date is UTC's whatever time zone the database's sessions are in.
func TestDailyDoesNotFollowTheDatabaseTimeZone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.exec(t, `DO $$ BEGIN
		EXECUTE format('ALTER DATABASE %I SET timezone TO ''Pacific/Auckland''', current_database());
	END $$`)
	f.addProducts(t, 1)
	h := f.replica(t, clock(t, "2026-03-01T23:00:00Z"))
	ok[daily](t, get(t, h, dailyPath))
	if got := ok[daily](t, get(t, h, dailyPath+"?date=2026-03-01")).Date; got != "2026-03-01" {
		t.Errorf("got %s, want 2026-03-01", got)
	}
	created := ok[[]pick](t, get(t, h, picksPath))[0].CreatedAt
	if created != "2026-01-02T03:04:05Z" {
		t.Errorf("got created_at %s, want 2026-01-02T03:04:05Z", created)
	}
}

func TestDailyByDate(t *testing.T) {
	t.Parallel()
	h := withPastDays(t)
	tests := []struct {
		name, query  string
		id           int64
		date, policy string
	}{
		{"today by name", "?date=2026-03-01", 2, "2026-03-01", "public, max-age=43200"},
		{"empty is today", "?date=", 2, "2026-03-01", "public, max-age=43200"},
		{"yesterday", "?date=2026-02-28", 1, "2026-02-28", "public, max-age=86400"},
		{"two days ago", "?date=2026-02-27", 2, "2026-02-27", "public, max-age=86400"},
		{"a product deleted since", "?date=2026-02-26", 3, "2026-02-26", "public, max-age=86400"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := get(t, h, dailyPath+tt.query)
			if diff := cmp.Diff(ok[daily](t, res), dayOf(tt.id, tt.date, tt.id == 3)); diff != "" {
				t.Errorf("body (-got +want):\n%s", diff)
			}
			wantHeaders(t, res, "Cache-Control", tt.policy)
		})
	}
}

func TestDailyIsNotFound(t *testing.T) {
	t.Parallel()
	h := withPastDays(t)
	for date, detail := range map[string]string{
		"2026-02-25": "the piece of that day has left the gallery",
		"2026-02-24": "no piece was chosen for 2026-02-24",
		"0001-01-01": "no piece was chosen for 0001-01-01",
		"0000-12-31": "no piece was chosen for 0000-12-31",
		"2026-03-02": "the piece of 2026-03-02 is still to come",
		"9999-12-31": "the piece of 9999-12-31 is still to come",
	} {
		wantProblem(t, get(t, h, dailyPath+"?date="+date), dailyPath, http.StatusNotFound, detail)
	}
}

// withPastDays is a replica on 1 March whose last four days showed the products
// 4, erased since, 3, deleted since, 2 and 1.
func withPastDays(t *testing.T) http.Handler {
	t.Helper()
	f := newFixture(t)
	f.addProducts(t, 4)
	f.exec(t, `INSERT INTO recommendation.daily (day, product_id)
		VALUES ('2026-02-25', 4), ('2026-02-26', 3), ('2026-02-27', 2), ('2026-02-28', 1)`)
	f.exec(t, `UPDATE product.products SET deleted_at = now() WHERE id = 3`)
	f.exec(t, `DELETE FROM product.products WHERE id = 4`)
	return f.replica(t, clock(t, "2026-03-01T12:00:00Z"))
}

func TestDailyIsCachedUntilMidnight(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 1)
	for now, want := range map[string]string{
		"2026-03-01T00:00:00Z":      "public, max-age=86400",
		"2026-03-01T00:00:00.001Z":  "public, max-age=86399",
		"2026-03-01T18:30:00Z":      "public, max-age=19800",
		"2026-03-01T23:59:59Z":      "public, max-age=1",
		"2026-03-01T23:59:59.5Z":    "public, max-age=0",
		"2026-03-01T20:00:00-03:00": "public, max-age=3600",
	} {
		wantHeaders(t, get(t, f.replica(t, clock(t, now)), dailyPath), "Cache-Control", want)
	}
}

func TestDailyOfTodayIsNotReplacedOnceDeleted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 2)
	now := newClock(t, "2026-03-01T12:00:00Z")
	h := f.replica(t, now.now)
	chosen := ok[daily](t, get(t, h, dailyPath)).ID
	f.exec(t, `UPDATE product.products SET deleted_at = now(), name = 'Last name' WHERE id = $1`, chosen)
	now.advance(time.Second)
	for range 2 {
		wantProblem(t, get(t, h, dailyPath), dailyPath, http.StatusNotFound, "the piece of that day has left the gallery")
	}
	now.advance(24 * time.Hour)
	if got := ok[daily](t, get(t, h, dailyPath)).ID; got != 3-chosen {
		t.Errorf("the next day got %d, want %d", got, 3-chosen)
	}
	want := dayOf(chosen, "2026-03-01", true)
	want.Name = "Last name"
	if diff := cmp.Diff(ok[daily](t, get(t, h, dailyPath+"?date=2026-03-01")), want); diff != "" {
		t.Errorf("once the day is past (-got +want):\n%s", diff)
	}
}

// TestTodayOutlivesPostgreSQL: until midnight today's product is there as it was.
func TestTodayOutlivesPostgreSQL(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(*netfault.Proxy){
		"cut off": (*netfault.Proxy).Cut, "blocked": (*netfault.Proxy).Block,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.addProducts(t, 1)
			proxy := netfault.New(f.url)
			t.Cleanup(proxy.Close)
			f.url = proxy.URL(f.url)
			now := newClock(t, "2026-03-01T23:59:50Z")
			h := f.replica(t, now.now)
			want := dayOf(1, "2026-03-01", false)
			if diff := cmp.Diff(ok[daily](t, get(t, h, dailyPath)), want); diff != "" {
				t.Errorf("before (-got +want):\n%s", diff)
			}
			disturb(proxy)
			f.vote(t, 7, 1)
			now.advance(time.Second)
			want.Stale = true
			for _, path := range []string{dailyPath, dailyPath + "?date=2026-03-01"} {
				res := get(t, h, path)
				if diff := cmp.Diff(ok[daily](t, res), want); diff != "" {
					t.Errorf("%s (-got +want):\n%s", path, diff)
				}
				wantHeaders(t, res, "Cache-Control", "no-cache")
			}
			before := now.now()
			now.set(clock(t, "2026-03-02T00:00:00Z")())
			if got := get(t, h, dailyPath); got.Code != http.StatusServiceUnavailable {
				t.Errorf("after midnight: got %d %s, want 503", got.Code, got.Body)
			}
			now.set(before)
			proxy.Restore()
			got := ok[daily](t, get(t, h, dailyPath))
			for got.Stale {
				got = ok[daily](t, get(t, h, dailyPath))
			}
			want.Stale, want.Votes = false, 1
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("afterwards (-got +want):\n%s", diff)
			}
			f.exec(t, `UPDATE product.products SET deleted_at = now()`)
			now.advance(time.Second)
			get(t, h, dailyPath)
			disturb(proxy)
			if got := get(t, h, dailyPath); got.Code != http.StatusServiceUnavailable {
				t.Errorf("once deleted: got %d %s, want 503", got.Code, got.Body)
			}
		})
	}
}

// countingStore counts what is asked of PostgreSQL for a day.
type countingStore struct {
	recommend.Store
	records, products atomic.Int32
	hold              chan struct{} // if not nil, products are read once it is closed
}

func (s *countingStore) Recorded(ctx context.Context, day time.Time) (int64, error) {
	s.records.Add(1)
	return s.Store.Recorded(ctx, day)
}

func (s *countingStore) Product(ctx context.Context, id int64) (recommend.Product, error) {
	s.products.Add(1)
	if s.hold != nil {
		<-s.hold
	}
	return s.Store.Product(ctx, id)
}

func (s *countingStore) want(t *testing.T, when string, records, products int32) {
	t.Helper()
	if r, p := s.records.Load(), s.products.Load(); r != records || p != products {
		t.Errorf("%s: asked %d times for the record and %d for the product, want %d and %d", when, r, p, records, products)
	}
}

func TestTodayIsReadOnceASecond(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 1)
	f.exec(t, `INSERT INTO recommendation.daily (day, product_id) VALUES ('2026-03-01', 1)`)
	store, now := &countingStore{Store: f.store(t)}, newClock(t, "2026-03-01T12:00:00Z")
	h := f.routerOn(store, nil, now.now)
	want := dayOf(1, "2026-03-01", false)
	all := func(when string, records, products int32) {
		t.Helper()
		for _, res := range atOnce(50, func(int) *httptest.ResponseRecorder { return get(t, h, dailyPath) }) {
			if diff := cmp.Diff(ok[daily](t, res), want); diff != "" {
				t.Fatalf("%s (-got +want):\n%s", when, diff)
			}
		}
		store.want(t, when, records, products)
	}
	all("at first", 1, 1)
	f.vote(t, 7, 1)
	f.exec(t, `UPDATE product.products SET name = 'Edited'`)
	now.advance(999 * time.Millisecond)
	all("within a second", 1, 1)
	now.advance(time.Millisecond)
	want.Name, want.Votes = "Edited", 1
	all("after a second", 1, 2)
}

// TestWhoHangsUpEndsNobodysRead has the first of two who ask for today's product hang up.
func TestWhoHangsUpEndsNobodysRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 1)
	store := &countingStore{Store: f.store(t), hold: make(chan struct{})}
	h := f.routerOn(store, nil, clock(t, "2026-03-01T12:00:00Z"))
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	first := make(chan *httptest.ResponseRecorder)
	go func() {
		res := httptest.NewRecorder()
		h.ServeHTTP(res, httptest.NewRequestWithContext(ctx, http.MethodGet, dailyPath, nil))
		first <- res
	}()
	waittest.Until(t, "the first reads", func() bool { return store.products.Load() == 1 })
	hangUp()
	if res := <-first; res.Code != web.StatusClientClosedRequest {
		t.Errorf("the first got %d %s", res.Code, res.Body)
	}
	time.AfterFunc(10*time.Millisecond, func() { close(store.hold) }) // while the second waits, most likely
	if diff := cmp.Diff(ok[daily](t, get(t, h, dailyPath)), dayOf(1, "2026-03-01", false)); diff != "" {
		t.Errorf("the second (-got +want):\n%s", diff)
	}
	store.want(t, "in the end", 1, 1)
}

func TestDailyOfAnEmptyGallery(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	h := f.replica(t, clock(t, "2026-03-01T12:00:00Z"))
	wantProblem(t, get(t, h, dailyPath), dailyPath, http.StatusNotFound, "the gallery has no piece to choose from yet")
	f.addProducts(t, 1)
	if got := ok[daily](t, get(t, h, dailyPath)).ID; got != 1 {
		t.Errorf("got %d once there is a product, want 1", got)
	}
}

// daysOf are days of products that addProducts made.
func daysOf(days map[string]int64, order ...string) []daily {
	all := []daily{}
	for _, date := range order {
		all = append(all, dayOf(days[date], date, false))
	}
	return all
}

// TestArchive has days of five months: one in the future, and one in January
// whose product was erased.
func TestArchive(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 3)
	days := map[string]int64{
		"2025-11-30": 1, "2026-01-31": 3, "2026-02-01": 2, "2026-02-28": 1, "2026-03-02": 2, "2026-03-03": 1, "2026-04-01": 2,
	}
	for date, id := range days {
		f.exec(t, `INSERT INTO recommendation.daily (day, product_id) VALUES ($1, $2)`, date, id)
	}
	f.exec(t, `DELETE FROM product.products WHERE id = 3`)
	h := f.replica(t, clock(t, "2026-03-02T12:00:00Z"))
	tests := []struct {
		name, query string
		want        []daily
		links       string // the Link headers without what they have in common
	}{
		{"this month up to today", "", daysOf(days, "2026-03-02"), "2026-02 prev"},
		{"empty is this month", "?month=", daysOf(days, "2026-03-02"), "2026-02 prev"},
		{"past months whole", "?month=2026-02", daysOf(days, "2026-02-01", "2026-02-28"), "2025-11 prev, 2026-03 next"},
		{"an erased product", "?month=2026-01", daysOf(days), "2025-11 prev, 2026-02 next"},
		{"the first month", "?month=2025-11", daysOf(days, "2025-11-30"), "2026-02 next"},
		{"before all", "?month=0001-01", daysOf(days), "2025-11 next"},
		{"future months", "?month=2026-04", daysOf(days), "2026-03 prev"},
		{"the last month", "?month=9999-12", daysOf(days), "2026-03 prev"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := get(t, h, archivePath+tt.query)
			if diff := cmp.Diff(ok[[]daily](t, res), tt.want); diff != "" {
				t.Errorf("days (-got +want):\n%s", diff)
			}
			links := strings.Join(res.Header().Values("Link"), ", ")
			short := strings.NewReplacer("<"+archivePath+"?month=", "", `>; rel="`, " ", `"`, "")
			if got := short.Replace(links); got != tt.links {
				t.Errorf("got links %s, want %s", got, tt.links)
			}
			wantHeaders(t, res, "Cache-Control", "public, max-age=60")
		})
	}
}

func TestArchiveRecordsNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 1)
	h := f.replica(t, clock(t, "2026-03-01T12:00:00Z"))
	for range 2 {
		res := get(t, h, archivePath)
		if got := res.Body.String(); res.Code != http.StatusOK || got != "[]" || res.Header().Get("Link") != "" {
			t.Errorf("got %d %s, Link %q, want 200 [] and none", res.Code, got, res.Header().Get("Link"))
		}
	}
}

// A deleted product keeps its past days, and has none today.
func TestArchiveOfDeletedProducts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.addProducts(t, 1)
	f.exec(t, `INSERT INTO recommendation.daily (day, product_id) VALUES ('2026-03-01', 1), ('2026-03-02', 1)`)
	f.exec(t, `UPDATE product.products SET deleted_at = now()`)
	h := f.replica(t, clock(t, "2026-03-02T12:00:00Z"))
	first, second := dayOf(1, "2026-03-01", true), dayOf(1, "2026-03-02", true)
	if diff := cmp.Diff(ok[[]daily](t, get(t, h, archivePath)), []daily{first}); diff != "" {
		t.Errorf("today (-got +want):\n%s", diff)
	}
	h = f.replica(t, clock(t, "2026-03-03T12:00:00Z"))
	if diff := cmp.Diff(ok[[]daily](t, get(t, h, archivePath)), []daily{first, second}); diff != "" {
		t.Errorf("tomorrow (-got +want):\n%s", diff)
	}
}
