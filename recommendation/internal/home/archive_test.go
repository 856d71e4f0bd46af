package home_test

import (
	"net/http"
	"testing"

	"craftista/shared/fault"

	"github.com/google/go-cmp/cmp"
)

const archivePath = dailyPath + "/archive"

func linkTo(month, rel string) string {
	return "<" + archivePath + "?month=" + month + `>; rel="` + rel + `"`
}

// dated are days of what fold made.
func dated(days map[string]int64, order ...string) []daily {
	all := []daily{}
	for _, date := range order {
		all = append(all, daily{ID: days[date], Name: "Model", Description: "A model.", ImageURL: "/model.svg", Date: date})
	}
	return all
}

// TestArchive has days of five months: one that somebody's clock put in the
// future, and one in January whose piece was erased.
func TestArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 3)
	days := map[string]int64{"2025-11-30": 1, "2026-01-31": 3, "2026-02-01": 2, "2026-02-28": 1, "2026-03-02": 2, "2026-03-03": 1, "2026-04-01": 2}
	for date, id := range days {
		w.exec(t, `INSERT INTO recommendation.daily (day, product_id) VALUES ($1, $2)`, date, id)
	}
	w.exec(t, `DELETE FROM product.products WHERE id = 3`)
	h := w.replica(t, at(t, "2026-03-02T12:00:00Z"))
	tests := []struct {
		name, query string
		want        []daily
		links       []string
	}{
		{"this month up to today", "", dated(days, "2026-03-02"), []string{linkTo("2026-02", "prev")}},
		{"empty is this month", "?month=", dated(days, "2026-03-02"), []string{linkTo("2026-02", "prev")}},
		{"past months whole", "?month=2026-02", dated(days, "2026-02-01", "2026-02-28"), []string{linkTo("2025-11", "prev"), linkTo("2026-03", "next")}},
		{"a piece that left", "?month=2026-01", dated(days), []string{linkTo("2025-11", "prev"), linkTo("2026-02", "next")}},
		{"the first month", "?month=2025-11", dated(days, "2025-11-30"), []string{linkTo("2026-02", "next")}},
		{"before all", "?month=0001-01", dated(days), []string{linkTo("2025-11", "next")}},
		{"months to come", "?month=2026-04", dated(days), []string{linkTo("2026-03", "prev")}},
		{"the last month", "?month=9999-12", dated(days), []string{linkTo("2026-03", "prev")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := get(t, h, archivePath+tt.query)
			if diff := cmp.Diff(ok[[]daily](t, res), tt.want); diff != "" {
				t.Errorf("days (-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(res.Header().Values("Link"), tt.links); diff != "" {
				t.Errorf("links (-got +want):\n%s", diff)
			}
			wantHeaders(t, res, "Cache-Control", "public, max-age=60")
		})
	}
}

// To look at the archive chooses nothing.
func TestArchiveRecordsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 1)
	h := w.replica(t, at(t, "2026-03-01T12:00:00Z"))
	for range 2 {
		res := get(t, h, archivePath)
		if got := res.Body.String(); res.Code != http.StatusOK || got != "[]" || res.Header().Get("Link") != "" {
			t.Errorf("got %d %s, Link %q, want 200 [] and none", res.Code, got, res.Header().Get("Link"))
		}
	}
	ok[daily](t, get(t, h, dailyPath))
	if got := ok[[]daily](t, get(t, h, archivePath)); len(got) != 1 || got[0].Date != "2026-03-01" {
		t.Errorf("got %v once the day is recorded", got)
	}
}

// A deleted piece keeps its days in the past, and has none today.
func TestArchiveOfDeletedPieces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fold(t, 1)
	w.exec(t, `INSERT INTO recommendation.daily (day, product_id) VALUES ('2026-03-01', 1), ('2026-03-02', 1)`)
	w.exec(t, `UPDATE product.products SET deleted_at = now()`)
	h := w.replica(t, at(t, "2026-03-02T12:00:00Z"))
	days := map[string]int64{"2026-03-01": 1, "2026-03-02": 1}
	deleted := func(days []daily) []daily {
		for i := range days {
			days[i].Deleted = true
		}
		return days
	}
	if diff := cmp.Diff(ok[[]daily](t, get(t, h, archivePath)), deleted(dated(days, "2026-03-01"))); diff != "" {
		t.Errorf("today (-got +want):\n%s", diff)
	}
	h = w.replica(t, at(t, "2026-03-03T12:00:00Z"))
	if diff := cmp.Diff(ok[[]daily](t, get(t, h, archivePath)), deleted(dated(days, "2026-03-01", "2026-03-02"))); diff != "" {
		t.Errorf("tomorrow (-got +want):\n%s", diff)
	}
}

func TestArchiveRefusesWhatIsNoMonth(t *testing.T) {
	t.Parallel()
	h := newWorld(t).replica(t, at(t, "2026-03-01T12:00:00Z"))
	for _, month := range []string{"2026-13", "2026-00", "2026-3", "2026-03-01", "march", "-026-03", "%27%3B--%00"} {
		t.Run(month, func(t *testing.T) {
			t.Parallel()
			wantProblem(t, get(t, h, archivePath+"?month="+month), archivePath, http.StatusUnprocessableEntity, "the request breaks a rule",
				fault.Field{Field: "month", Message: "must be a month of the calendar as YYYY-MM"})
		})
	}
	wantProblem(t, get(t, h, archivePath+"?month=%zz"), archivePath, http.StatusBadRequest, "the query of the URL is not well formed")
}
