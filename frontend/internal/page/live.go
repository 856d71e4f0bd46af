package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

const (
	livePath     = "/live"
	maxListeners = 4000 // of one process, by default; each takes a connection of ours and one of the catalogue's
	maxIDs       = 100
	liveRetry    = time.Second            // of a browser that lost the stream
	leastPause   = 250 * time.Millisecond // before the catalogue is asked again; doubles up to
	mostPause    = 15 * time.Second       // which is a heartbeat too
)

// liveCounts streams the counts of products.
type liveCounts struct {
	counts       backend.Live
	maxListeners int64
	listeners    atomic.Int64
}

// open answers GET /live with the counts of the products named by ids, as fragments
// that htmx puts in their places. While the catalogue is away the stream waits
// for it: a browser that is told nothing shows what it has.
func (h *liveCounts) open(r *http.Request) (web.Feed, error) {
	ids, err := readIDs(r.URL.Query().Get("ids"))
	if err != nil {
		return nil, err
	}
	if h.listeners.Load() >= h.maxListeners {
		return nil, &fault.Error{Kind: fault.Unavailable, Message: "too many are listening, try again later", RetryAfter: 10 * time.Second}
	}
	position := r.Header.Get("Last-Event-ID")
	if _, err := strconv.ParseUint(position, 10, 64); err != nil {
		position = "" // not one of ours: from the beginning
	}
	return func(ctx context.Context, send func([]byte) error) error {
		h.listeners.Add(1)
		defer h.listeners.Add(-1)
		return h.tell(ctx, ids, position, send)
	}, nil
}

// tell sends the counts until ctx is done or the listener does not take them.
func (h *liveCounts) tell(ctx context.Context, ids []int64, position string, send func([]byte) error) error {
	pause := leastPause
	for {
		var gone error
		// That the catalogue is away, the pages say and log.
		_ = h.counts.Listen(ctx, ids, position, func(counts []backend.Count, at string) error {
			pause, position = leastPause, at
			var event []byte
			if event, gone = countEvent(ctx, counts, at); gone == nil {
				gone = send(event)
			}
			return gone
		})
		if gone != nil || ctx.Err() != nil {
			return errors.Join(gone, ctx.Err())
		}
		if err := send(heartbeat()); err != nil {
			return errors.Join(err, ctx.Err())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // chance, so that not all come back at once
			pause = min(2*pause, mostPause)
		}
	}
}

func heartbeat() []byte { return []byte(": still here\n\n") }

// countEvent is a server-sent event of fragments; no counts are a heartbeat.
func countEvent(ctx context.Context, counts []backend.Count, position string) ([]byte, error) {
	if len(counts) == 0 {
		return heartbeat(), nil
	}
	tallies := make([]view.Tally, len(counts))
	for i, c := range counts {
		tallies[i] = view.Tally{ID: strconv.FormatInt(c.ID, 10), Count: plural(max(c.Votes, 0), "vote")}
	}
	var b bytes.Buffer
	if err := view.LiveFragment(tallies).Render(ctx, &b); err != nil {
		return nil, fmt.Errorf("render counts: %w", err)
	}
	html := bytes.ReplaceAll(b.Bytes(), []byte("\n"), []byte(" ")) // an event's data is a line
	return fmt.Appendf(nil, "id: %s\ndata: %s\n\n", position, html), nil
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
