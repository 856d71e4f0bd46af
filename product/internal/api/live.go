package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/web"
)

// comeBack is when a browser that lost the stream asks again.
const comeBack = 2 * time.Second

type live struct{ live *core.Live }

// stream answers GET /api/votes/stream.
func (h live) stream(r *http.Request) (web.Feed, error) {
	query, err := web.Query(r)
	if err != nil {
		return nil, err
	}
	var ids []int64 // nil is all pieces
	if text := query.Get("ids"); text != "" {
		if ids, err = readIDs(text); err != nil {
			return nil, err
		}
		slices.Sort(ids)
	}
	position := readPosition(r.Header.Get("Last-Event-ID"))
	return func(ctx context.Context, send func([]byte) error) error {
		return h.live.Tell(ctx, position, ids, send)
	}, h.live.Ready()
}

// readPosition reads an event's id; what cannot be one stands for the beginning.
func readPosition(text string) uint64 {
	position, err := strconv.ParseInt(text, 10, 64)
	if err != nil || position < 1 {
		return 1
	}
	return uint64(position)
}

// EncodeTally is the core.EncodeTally of this API: a server-sent event.
func EncodeTally(t core.Tally, position uint64) []byte {
	b := make([]byte, 0, 80)
	b = append(b, "id: "...)
	b = strconv.AppendUint(b, position, 10)
	b = append(b, "\nevent: vote\ndata: {\"origami_id\":"...)
	b = strconv.AppendInt(b, t.ID, 10)
	b = append(b, ",\"votes\":"...)
	b = strconv.AppendInt(b, t.Votes, 10)
	return append(b, "}\n\n"...)
}
