package page

import (
	"fmt"
	"net/http"
	"time"

	"craftista/shared/web"
)

// reload answers GET /dev/reload with the process's id as a server-sent event
// and then holds the line, until the process's end: the browser then asks again,
// and reloads the page when the id is another.
func (s *site) reload(w http.ResponseWriter, r *http.Request) error {
	err := web.NewEvents(w, 300*time.Millisecond).Send(fmt.Appendf(nil, "event: start\ndata: %s\n\n", s.processID))
	if err == nil && r.Method != http.MethodHead {
		<-r.Context().Done()
	}
	return err
}
