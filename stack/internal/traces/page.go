package traces

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

//go:embed page.css page.js list.html requests.html trace.html
var files embed.FS

// Handler shows the metrics and the store: / has the rates, failures and latencies of
// each route and lists recent traces, /requests is the part of it that is updated, and
// /trace/{id}, Jaeger's own path, shows one trace as a waterfall.
func Handler(s *Store, m *Metrics) http.Handler {
	list := template.Must(template.ParseFS(files, "list.html", "requests.html"))
	one := template.Must(template.ParseFS(files, "trace.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		all, only := r.URL.Query().Has("all"), asked(r)
		render(w, list, http.StatusOK, listView{all, m.view(only), rows(s.Recent(), all, only)})
	})
	mux.HandleFunc("GET /requests", func(w http.ResponseWriter, r *http.Request) {
		render(w, list.Lookup("requests.html"), http.StatusOK, m.view(asked(r)))
	})
	mux.HandleFunc("GET /trace/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := trace.TraceIDFromHex(r.PathValue("id"))
		t, ok := s.Find(id)
		if err != nil || !ok {
			render(w, one, http.StatusNotFound, traceView{})
			return
		}
		render(w, one, http.StatusOK, waterfall(t))
	})
	mux.Handle("GET /page.css", http.FileServerFS(files))
	mux.Handle("GET /page.js", http.FileServerFS(files))
	return mux
}

// asked is the route whose traces are asked for; without one its name is "".
func asked(r *http.Request) route {
	return route{r.URL.Query().Get("service"), r.URL.Query().Get("route")}
}

type listView struct {
	All      bool
	Requests requestsView
	Rows     []row
}

type row struct {
	ID, Name, Start, Took string
	Spans                 int
	Services              int
	Failed                bool
}

// rows are the traces with a step of the route only or, without one, those of more
// than one span unless all are asked for: the others are mostly pictures and probes.
func rows(recent []Trace, all bool, only route) []row {
	var out []row
	for _, t := range recent {
		shown := all || len(t.Spans) > 1
		if only.Name != "" {
			shown = t.has(only)
		}
		if !shown {
			continue
		}
		steps := t.Steps()
		start, took := extent(steps)
		r := row{
			ID: t.ID.String(), Name: steps[0].Name(), Start: start.Format(time.TimeOnly), Took: millis(took), Spans: len(steps),
		}
		services := map[string]bool{}
		for _, s := range steps {
			services[s.Service()] = true
			r.Failed = r.Failed || s.Failed()
		}
		r.Services = len(services)
		out = append(out, r)
	}
	return out
}

type traceView struct {
	ID, Name, Start, Took string
	Bars                  []bar
}

type bar struct {
	Service, Name, Took string
	Depth               int
	Left, Width         string // of the whole trace, in percent
	Failed              bool
	Attributes          []attribute.KeyValue
	Links               []sdktrace.Link
}

func waterfall(t Trace) traceView {
	steps := t.Steps()
	start, took := extent(steps)
	v := traceView{ID: t.ID.String(), Name: steps[0].Name(), Start: start.Format(time.DateTime), Took: millis(took)}
	percent := func(d time.Duration) float64 { return 100 * float64(d) / float64(max(took, 1)) }
	for _, s := range steps {
		duration := s.EndTime().Sub(s.StartTime())
		v.Bars = append(v.Bars, bar{
			Service: s.Service(), Name: s.Name(), Took: millis(duration), Depth: min(s.Depth, 12), Failed: s.Failed(),
			Left:  fmt.Sprintf("%.2f%%", percent(s.StartTime().Sub(start))),
			Width: fmt.Sprintf("%.2f%%", max(percent(duration), 0.4)), Attributes: s.Attributes(), Links: s.Links(),
		})
	}
	return v
}

// extent is from the first start to the last end.
func extent(steps []Step) (time.Time, time.Duration) {
	start, end := steps[0].StartTime(), steps[0].EndTime()
	for _, s := range steps {
		if s.StartTime().Before(start) {
			start = s.StartTime()
		}
		if s.EndTime().After(end) {
			end = s.EndTime()
		}
	}
	return start, end.Sub(start)
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}

const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"

func render(w http.ResponseWriter, t *template.Template, status int, view any) {
	var page bytes.Buffer
	if err := t.Execute(&page, view); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // an error means that the caller hung up
}
