package traces

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

const pageSize = 50 // traces of one page of the list

// filter says which traces are asked for, and which page of them.
type filter struct {
	All           bool  // also those of one step: pictures and probes, mostly
	Only          route // with a step of it; without one its name is ""
	Failed        bool
	MinMillis     float64
	before, after string // the id of the trace that the page begins after, or ends before
	query         url.Values
}

func readFilter(r *http.Request) filter {
	q := r.URL.Query()
	f := filter{
		All: q.Has("all"), Only: route{q.Get("service"), q.Get("route")}, Failed: q.Get("status") == "failed",
		before: q.Get("before"), after: q.Get("after"), query: q,
	}
	if n, err := strconv.ParseFloat(q.Get("min"), 64); err == nil {
		f.MinMillis = max(0, n)
	}
	return f
}

// accepts reports whether the trace is one of those asked for. A route, a failure or a
// duration that is asked for may be that of a trace with one step.
func (f filter) accepts(t Trace, r row) bool {
	chosen := f.All || f.Failed || f.MinMillis > 0 || f.Only.Name != ""
	return (chosen || r.Spans > 1) && (f.Only.Name == "" || t.has(f.Only)) &&
		(!f.Failed || r.Failed) && r.took >= time.Duration(f.MinMillis*float64(time.Millisecond))
}

// page is a page of the list. Older and Newer are the addresses of the pages around it,
// "" where there is none.
type page struct {
	Rows         []row
	Older, Newer string
}

// pageOf is the page of the newest of the traces, which come newest first, unless the filter
// names a trace that is still there.
func (f filter) pageOf(recent []Trace) page {
	var all []row
	for _, t := range recent {
		if r := newRow(t); f.accepts(t, r) {
			all = append(all, r)
		}
	}
	at := func(id string) int { return slices.IndexFunc(all, func(r row) bool { return r.ID == id }) }
	from := at(f.before) + 1
	if i := at(f.after); i >= 0 {
		from = max(0, i-pageSize)
	}
	to := min(len(all), from+pageSize)
	p := page{Rows: all[from:to]}
	if from > 0 {
		p.Newer = f.url("after", all[from].ID)
	}
	if to < len(all) {
		p.Older = f.url("before", all[to-1].ID)
	}
	return p
}

// url is the address of another page of the same traces.
func (f filter) url(name, id string) string {
	query := url.Values{name: {id}}
	for _, own := range []string{"all", "service", "route", "status", "min"} {
		if f.query.Has(own) {
			query.Set(own, f.query.Get(own))
		}
	}
	return "/?" + query.Encode()
}

// row is a trace in the list.
type row struct {
	ID, Name, Start, Took string
	Spans                 int
	Services              int
	Failed                bool
	took                  time.Duration
}

func newRow(t Trace) row {
	steps := t.Steps()
	start, took := extent(steps)
	r := row{
		ID: t.ID.String(), Name: steps[0].Name(), Start: start.Format(time.TimeOnly), Took: millis(took), took: took,
		Spans: len(steps),
	}
	services := map[string]bool{}
	for _, s := range steps {
		services[s.Service()] = true
		r.Failed = r.Failed || s.Failed()
	}
	r.Services = len(services)
	return r
}
