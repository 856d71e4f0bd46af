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

//go:embed page.css list.html trace.html
var files embed.FS

// Handler shows the store: / lists recent traces and /trace/{id}, Jaeger's own
// path, shows one as a waterfall.
func Handler(s *Store) http.Handler {
	list := template.Must(template.ParseFS(files, "list.html"))
	one := template.Must(template.ParseFS(files, "trace.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		all := r.URL.Query().Has("all")
		render(w, list, http.StatusOK, listView{All: all, Rows: rows(s.Recent(), all)})
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
	mux.HandleFunc("GET /page.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "page.css")
	})
	return mux
}

type listView struct {
	All  bool
	Rows []row
}

type row struct {
	ID, Name, Start, Took string
	Spans                 int
	Services              int
	Failed                bool
}

// rows leaves out traces of one span, which are mostly pictures and probes,
// unless all is asked for.
func rows(recent []Trace, all bool) []row {
	var out []row
	for _, t := range recent {
		if len(t.Spans) < 2 && !all {
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

func render(w http.ResponseWriter, t *template.Template, status int, view any) {
	var page bytes.Buffer
	if err := t.Execute(&page, view); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // an error means that the caller hung up
}
