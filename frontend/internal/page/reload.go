package page

import (
	"fmt"
	"net/http"
)

// reload answers GET /dev/reload with the process's id as a server-sent event
// and then holds the line, until the request's deadline or the process's end:
// the browser then asks again, and reloads the page when the id is another.
func (s *site) reload(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, _ = fmt.Fprintf(w, "retry: 300\nevent: start\ndata: %s\n\n", s.processID)
	_ = http.NewResponseController(w).Flush() // at worst it arrives with the end of the response
	select {
	case <-r.Context().Done():
	case <-s.settings.Stopping:
	}
	return nil
}
