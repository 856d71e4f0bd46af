package view_test

import (
	"bytes"
	"strconv"
	"testing"

	"craftista/frontend/internal/view"
)

func BenchmarkPage(b *testing.B) {
	g := view.Gallery{Sorts: []view.Sort{{Label: "a", URL: "/"}, {Label: "b", URL: "/?sort=b"}, {Label: "c", URL: "/?sort=c"}}}
	for i := range 12 {
		id := strconv.Itoa(i)
		g.Batch.Cards = append(g.Batch.Cards, view.Card{ID: id, Name: "Crane", URL: "/origamis/" + id, Art: view.Art{URL: "/static/origami/crane.0123456789ab.svg", Tint: "tint-1"}, Level: view.Level{Label: "Easy", Steps: 1}, Vote: view.Vote{ID: id, Name: "Crane", Count: "41 votes", Voted: i%3 == 0}})
	}
	for i := range 4 {
		id := strconv.Itoa(i)
		g.Picks.Picks = append(g.Picks.Picks, view.Pick{ID: id, Name: "Crane", URL: "/origamis/" + id, Reason: "loved by many", Count: "41 votes", Art: view.Art{URL: "/static/origami/crane.0123456789ab.svg", Tint: "tint-1"}})
	}
	g.Today = view.Today{ID: "1", Name: "Crane", URL: "/origamis/1", Description: "A crane", Date: "Sunday", Count: "41 votes", Art: view.Art{URL: "/static/x.svg", Tint: "tint-2"}}
	f := view.Frame{Title: "Craftista", Here: "/", Person: view.Person{Name: "user"}, Trace: view.Trace{ID: "4bf92f3577b34da6a3ce929d0e0e4736", URL: "http://localhost/trace/4bf92f3577b34da6a3ce929d0e0e4736"}}
	var buf bytes.Buffer
	for b.Loop() {
		buf.Reset()
		if err := view.Page(f, view.GalleryPage(g)).Render(b.Context(), &buf); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(buf.Len()), "bytes")
}
