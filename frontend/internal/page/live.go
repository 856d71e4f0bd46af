package page

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

const (
	livePath     = "/live"
	maxListeners = 4000 // of one process
	maxIDs       = 100
	liveRetry    = time.Second // of a browser that lost the stream
)

// liveCounts streams the counts of products.
type liveCounts struct{ counts *backend.Live }

// open answers GET /live with the counts of the products named by ids, as fragments
// that htmx puts in their places.
func (h liveCounts) open(r *http.Request) (web.EventStream, error) {
	ids, err := readIDs(r.URL.Query().Get("ids"))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, send func([]byte) error) error {
		return h.counts.Listen(ctx, ids, func(counts []backend.Count) error {
			event, err := countEvent(ctx, counts)
			if err != nil {
				return err
			}
			return send(event)
		})
	}, nil
}

// countEvent is a server-sent event of fragments; no counts are a heartbeat.
func countEvent(ctx context.Context, counts []backend.Count) ([]byte, error) {
	if len(counts) == 0 {
		return []byte(web.Heartbeat), nil
	}
	shown := make([]view.Vote, len(counts))
	for i, c := range counts {
		shown[i] = view.Vote{ID: decimal(c.ID), Count: plural(max(c.Votes, 0), "vote")}
	}
	var b bytes.Buffer
	if err := view.LiveFragment(shown).Render(ctx, &b); err != nil {
		return nil, fmt.Errorf("render counts: %w", err)
	}
	html := bytes.ReplaceAll(b.Bytes(), []byte("\n"), []byte(" ")) // an event's data is one line
	return fmt.Appendf(nil, "data: %s\n\n", html), nil
}

// readIDs reads 1 to 100 positive ids with commas between; an id that comes
// twice counts once.
func readIDs(text string) ([]int64, error) {
	bad := fault.New(fault.Invalid, "ids must be 1 to %d positive ids with commas between", maxIDs)
	texts := strings.SplitN(text, ",", maxIDs+1)
	if len(texts) > maxIDs {
		return nil, bad
	}
	ids := make([]int64, len(texts))
	for i, t := range texts {
		id, err := strconv.ParseInt(t, 10, 64)
		if err != nil || id < 1 {
			return nil, bad
		}
		ids[i] = id
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
