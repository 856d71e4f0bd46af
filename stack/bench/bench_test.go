// Package bench measures requests to the running services against bare handlers with the same input and output.
package bench

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	readers = 16 // at once, each on a connection that stays open
	voters  = 64 // likewise; each is a person of their own
	pieces  = 24 // of the seed
	rounds  = 4
	turn    = 500 * time.Millisecond
)

// row is a line of the table: what each client sends, over and over. Those that vote are last, since the dead rows that
// they leave slow down what reads votes.
type row struct {
	name       string
	clients    int
	ours, bare func(person) script
}

func rows(s servers, visitor, signedIn int) []row {
	site, product, recommendation, bare := s.URLs["frontend"], s.URLs["product"], s.URLs["recommendation"], s.URLs["bare"]
	get := func(base, path string) func(person) script {
		return func(person) script { return script{base, []string{request("GET", path)}, 1} }
	}
	bytes := func(n int) func(person) script { return get(bare, fmt.Sprint("/bytes/", n)) }
	piece := func(p person) int { return 1 + p.id%pieces }
	one := func(person) []int { return []int{1} }
	many := func(p person) (ids []int) {
		for i := range pieces {
			ids = append(ids, 1+(p.id+i)%pieces)
		}
		return ids
	}
	votes := func(of func(person) []int) func(person) script {
		return func(p person) script {
			path := func(id int) string { return fmt.Sprintf("/api/origamis/%d/vote", id) }
			return voting(product, path, of(p), "Authorization", p.bearer)
		}
	}
	bareVotes := func(of func(person) []int) func(person) script {
		return func(p person) script {
			return voting(bare, func(id int) string { return fmt.Sprintf("/votes/%d/%d", p.id, id) }, of(p))
		}
	}
	return []row{
		{"list of 24", readers, get(product, "/api/products?limit=24"), get(bare, "/list")},
		{"piece by id", readers, get(product, "/api/products/1"), get(bare, "/cached/api/products/1")},
		{"piece by id, traced", readers, get(s.URLs["traced"], "/api/products/1"), get(bare, "/cached/api/products/1")},
		{"votes of a piece", readers, get(product, "/api/origamis/1/votes"), get(bare, "/cached/api/origamis/1/votes")},
		{"piece of the day", readers, get(recommendation, "/api/origami-of-the-day"), get(bare, "/random")},
		{"picks", readers, func(p person) script {
			return script{recommendation, []string{request("GET", "/api/recommendations?limit=4", "Authorization", p.bearer)}, 1}
		}, func(p person) script { return script{bare, []string{request("GET", fmt.Sprint("/picks/", p.id))}, 1} }},
		{"gallery, visitor", readers, get(site, "/"), bytes(visitor)},
		{"gallery, signed in", readers, func(p person) script {
			return script{site, []string{request("GET", "/", "Cookie", p.cookies)}, 1}
		}, bytes(signedIn)},
		{"vote, all for one piece", voters, votes(one), bareVotes(one)},
		{"vote, for many pieces", voters, votes(many), bareVotes(many)},
		{"vote, then gallery", readers, func(p person) script {
			path, gallery := fmt.Sprintf("/origamis/%d/", piece(p)), request("GET", "/", "Cookie", p.cookies)
			return script{site, []string{
				request("POST", path+"vote", "Cookie", p.cookies), gallery,
				request("POST", path+"unvote", "Cookie", p.cookies), gallery,
			}, 2}
		}, func(p person) script {
			path, gallery := fmt.Sprintf("/votes/%d/%d", p.id, piece(p)), request("GET", fmt.Sprint("/bytes/", signedIn))
			return script{bare, []string{request("POST", path), gallery, request("DELETE", path), gallery}, 2}
		}},
	}
}

// BenchmarkRequests has ours and a bare handler take turns, row by row, and prints a table in the end. Rates are the
// medians of the turns, since whatever else runs on the machine spoils single ones; CPU time is of all turns. Nothing
// fails because it is slow: what is answered 503 is no answer, and is told.
func BenchmarkRequests(b *testing.B) {
	s := start(b)
	people := s.signUp(b, voters)
	visitor, signedIn := size(b, s.URLs["frontend"]+"/", ""), size(b, s.URLs["frontend"]+"/", people[0].cookies)
	var table []string
	for _, r := range rows(s, visitor, signedIn) {
		b.Run(strings.NewReplacer(",", "", " ", "-").Replace(r.name), func(b *testing.B) {
			table = append(table, compare(b, r, people[:r.clients]))
		})
	}
	_, _ = fmt.Fprintf(os.Stdout, "\n%s\n", strings.Join(slices.Concat(heading(), table), "\n"))
}

// side is one of the two that are compared.
type side struct {
	clients           []*client
	rates             []float64 // by round
	answered, refused int
	cpu               usage
}

// compare returns the row as a line of Markdown.
func compare(b *testing.B, r row, people []person) string {
	b.Helper()
	ours, bare := newSide(b, r.ours, people), newSide(b, r.bare, people)
	var parts []float64
	for b.Loop() {
		for range rounds {
			bare.work(b, turn)
			ours.work(b, turn)
			parts = append(parts, ours.rates[len(ours.rates)-1]/bare.rates[len(bare.rates)-1])
		}
	}
	b.ReportMetric(0, "ns/op") // of both together, which says nothing
	b.ReportMetric(median(ours.rates), "req/s")
	b.ReportMetric(median(parts), "of-bare")
	b.ReportMetric(1000*ours.perAnswer(ours.cpu.all()), "CPU-ms")
	if ours.refused+bare.refused > 0 {
		b.Logf("503: %d of %d of ours, %d of %d of the bare handler",
			ours.refused, ours.answered+ours.refused, bare.refused, bare.answered+bare.refused)
	}
	line := fmt.Sprintf("| %-23s | %6.0f | %7.2f |", r.name, median(ours.rates), median(parts))
	for _, used := range []float64{
		ours.perAnswer(ours.cpu.service), ours.perAnswer(ours.cpu.postgres), ours.perAnswer(ours.cpu.redis),
		ours.perAnswer(ours.cpu.all()), bare.perAnswer(bare.cpu.all()),
	} {
		line += fmt.Sprintf(" %10.3f |", 1000*used)
	}
	return line
}

func heading() []string {
	return []string{
		"| request                 | rate/s | of bare | service ms |     SQL ms |   Redis ms |     all ms |    bare ms |",
		"|---|---:|---:|---:|---:|---:|---:|---:|",
	}
}

func newSide(b *testing.B, of func(person) script, people []person) *side {
	b.Helper()
	s := &side{}
	for _, p := range people {
		s.clients = append(s.clients, dial(b, of(p)))
	}
	s.work(b, turn/2) // to warm up
	*s = side{clients: s.clients}
	return s
}

// perAnswer is a part of the CPU time, in seconds.
func (s *side) perAnswer(used time.Duration) float64 {
	return used.Seconds() / float64(max(s.answered, 1))
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}
