package api

import (
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
func (h live) stream(w http.ResponseWriter, r *http.Request) error {
	query, err := web.Query(r)
	if err != nil {
		return err
	}
	var ids []int64 // nil is all pieces
	if text := query.Get("ids"); text != "" {
		if ids, err = readIDs(text); err != nil {
			return err
		}
		slices.Sort(ids)
	}
	events := web.NewEvents(w, comeBack)
	if r.Method == http.MethodHead {
		return events.Send(nil)
	}
	return h.live.Tell(r.Context(), readPosition(r.Header.Get("Last-Event-ID")), ids, events.Send)
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
