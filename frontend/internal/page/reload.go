package page

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"craftista/frontend/static"
	"craftista/shared/web"
)

const (
	reloadPath  = "/dev/reload"
	reloadRetry = 300 * time.Millisecond // after which a browser connects again
	reloadCheck = 100 * time.Millisecond // between looks at the assets
)

// devReload tells pages that the process is another one, or the assets are others.
type devReload struct {
	processID string // new at each start
	assets    *static.Assets
}

// open answers GET /dev/reload with the process's id and the state of the assets as a server-sent event, again when the
// state is another. The browser, which asks again at the process's end, reloads the page when it gets another event.
func (h devReload) open(*http.Request) (web.EventStream, error) {
	return func(ctx context.Context, send func([]byte) error) error {
		look := time.NewTicker(reloadCheck)
		defer look.Stop()
		for sent := ""; ; {
			if now := h.processID + " " + h.assets.State(); now != sent {
				if err := send(fmt.Appendf(nil, "event: start\ndata: %s\n\n", now)); err != nil {
					return err
				}
				sent = now
			}
			select {
			case <-ctx.Done():
				return nil
			case <-look.C:
			}
		}
	}, nil
}
