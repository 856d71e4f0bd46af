package page

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"craftista/shared/web"
)

const (
	reloadPath  = "/dev/reload"
	reloadRetry = 300 * time.Millisecond // after which a browser connects again
)

// devReload tells pages that the process is another one.
type devReload struct{ processID string } // new at each start

// open answers GET /dev/reload with the process's id as a server-sent event
// and then waits for the process's end: the browser then asks again, and reloads
// the page when the id is another.
func (h devReload) open(*http.Request) (web.EventStream, error) {
	return func(ctx context.Context, send func([]byte) error) error {
		err := send(fmt.Appendf(nil, "event: start\ndata: %s\n\n", h.processID))
		if err == nil {
			<-ctx.Done()
		}
		return err
	}, nil
}
