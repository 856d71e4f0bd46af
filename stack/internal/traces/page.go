package traces

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"craftista/shared/mailbox"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

//go:embed page.css page.js list.html requests.html trace.html mails.html
var files embed.FS

// Handler shows the metrics and the store: / has the rates, failures and latencies of
// each route and lists recent traces, /requests is the part of it that is updated, and
// /trace/{id}, Jaeger's own path, shows one trace as a waterfall. It has the pages of
// MailHandler besides, unless the box is nil.
func Handler(s *Store, m *Metrics, box *mailbox.Box) http.Handler {
	list := template.Must(template.ParseFS(files, "list.html", "requests.html"))
	one := template.Must(template.ParseFS(files, "trace.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		f := readFilter(r)
		render(w, list, http.StatusOK, listView{f, f.pageOf(s.Recent()), m.view(f.Only), box != nil})
	})
	mux.HandleFunc("GET /requests", func(w http.ResponseWriter, r *http.Request) {
		render(w, list.Lookup("requests.html"), http.StatusOK, m.view(readFilter(r).Only))
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
	if box != nil {
		mails := MailHandler(box)
		mux.Handle("GET /mails", mails)
		mux.Handle("GET /mails/", mails)
	}
	mux.Handle("GET /page.css", http.FileServerFS(files))
	mux.Handle("GET /page.js", http.FileServerFS(files))
	return mux
}

type listView struct {
	filter
	page

	Requests requestsView
	Mails    bool
}

type traceView struct {
	ID, Name, Start, Took string
	Bars                  []bar
	FirstFailed           *bar // nil if none failed
}

type bar struct {
	ID                  string // of its element
	Service, Name, Took string
	Error               string // what the span says of its failure
	Depth               int
	Left, Width         string // of the whole trace, in percent
	Failed, First       bool   // First: of those that failed
	Attributes          []attribute.KeyValue
	Links               []sdktrace.Link
}

func waterfall(t Trace) traceView {
	steps := t.Steps()
	start, took := extent(steps)
	v := traceView{ID: t.ID.String(), Name: steps[0].Name(), Start: start.Format(time.DateTime), Took: millis(took)}
	percent := func(d time.Duration) float64 { return 100 * float64(d) / float64(max(took, 1)) }
	first := firstFailed(steps)
	for i, s := range steps {
		duration := s.EndTime().Sub(s.StartTime())
		v.Bars = append(v.Bars, bar{
			ID: "step-" + strconv.Itoa(i+1), Error: s.Status().Description, First: i == first,
			Service: s.Service(), Name: s.Name(), Took: millis(duration), Depth: min(s.Depth, 12), Failed: s.Failed(),
			Left:  fmt.Sprintf("%.2f%%", percent(s.StartTime().Sub(start))),
			Width: fmt.Sprintf("%.2f%%", max(percent(duration), 0.4)), Attributes: s.Attributes(), Links: s.Links(),
		})
	}
	if first >= 0 {
		v.FirstFailed = &v.Bars[first]
	}
	return v
}

// firstFailed is the failed step that ended first, which is most likely why the others failed; -1
// if none failed.
func firstFailed(steps []Step) int {
	first := -1
	for i, s := range steps {
		if s.Failed() && (first < 0 || s.EndTime().Before(steps[first].EndTime())) {
			first = i
		}
	}
	return first
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
