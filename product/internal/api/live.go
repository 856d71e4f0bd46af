package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/web"
)

const (
	streamRetry    = 2 * time.Second // of a browser that lost the stream
	heartbeatEvery = 15 * time.Second
	maxWatched     = 1000 // products of one listener; a site watches for all its people
)

type liveHandler struct{ broadcaster *core.CountBroadcaster }

// stream answers GET /api/votes/stream.
func (h liveHandler) stream(r *http.Request) (web.EventStream, error) {
	query, err := web.Query(r)
	if err != nil {
		return nil, err
	}
	ids, err := h.watched(r.Context(), query.Get("ids"))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, send func([]byte) error) error {
		return h.send(ctx, ids, send)
	}, nil
}

// watched returns the ids that the text names, each once, or those of all
// products.
func (h liveHandler) watched(ctx context.Context, text string) ([]int64, error) {
	if text == "" {
		return h.broadcaster.All(ctx)
	}
	ids, err := readIDs(text, maxWatched)
	slices.Sort(ids)
	return slices.Compact(ids), err
}

// send sends counts and heartbeats until ctx is done or the listener is too slow.
func (h liveHandler) send(ctx context.Context, ids []int64, send func([]byte) error) error {
	counts, unsubscribe := h.broadcaster.Subscribe(ids)
	defer unsubscribe()
	heartbeat := time.NewTicker(heartbeatEvery)
	defer heartbeat.Stop()
	for {
		events := []byte(web.Heartbeat)
		select {
		case <-ctx.Done():
			return nil
		case <-heartbeat.C:
		case some, ok := <-counts:
			if !ok {
				return errors.New("the listener is too slow")
			}
			events = encodeCounts(some)
		}
		if err := send(events); err != nil {
			return err
		}
	}
}

// encodeCounts returns a server-sent event for each count.
func encodeCounts(counts []core.Count) []byte {
	var events []byte
	for _, c := range counts {
		events = fmt.Appendf(events, "event: vote\ndata: {\"origami_id\":%d,\"votes\":%d}\n\n", c.ID, c.Votes)
	}
	return events
}
