package web

import (
	"net/http"
	"strings"

	"craftista/shared/telemetry"

	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
)

// Count counts the requests for h by their outcome, once they are answered: success, cancelled if the client has gone,
// else the status in HTTP's words, such as too_many_requests.
func Count(counter metric.Int64Counter, success string, h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		n, ok := r.Context().Value(notesKey{}).(*notes)
		if ok {
			n.answered = func(status int) { counter.Add(r.Context(), 1, telemetry.Outcome(outcome(status, success))) }
		}
		return h(w, r)
	}
}

// newListeners counts the open streams.
func newListeners(t *telemetry.Telemetry) metric.Int64UpDownCounter {
	counter, err := t.Metrics.Meter("craftista").Int64UpDownCounter("craftista.live.listeners",
		metric.WithUnit("{listener}"), metric.WithDescription("Open streams of server-sent events."))
	if err != nil {
		panic("craftista.live.listeners: " + err.Error()) // only the name could be wrong
	}
	return counter
}

// countListener counts one until the returned function is called.
func (r *Router) countListener(req *http.Request) (leave func()) {
	path := metric.WithAttributes(semconv.HTTPRoute(req.URL.Path))
	r.open.Add(req.Context(), 1, path)
	return func() { r.open.Add(req.Context(), -1, path) }
}

func outcome(status int, success string) string {
	switch {
	case status < http.StatusBadRequest:
		return success
	case status == StatusClientClosedRequest:
		return "cancelled"
	default:
		return strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
	}
}
