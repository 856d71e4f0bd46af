package backend

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"craftista/shared/fault"
)

// maxSilence is how long the catalogue's stream may say nothing: two heartbeats
// and a little more.
const maxSilence = 40 * time.Second

// maxEvents bounds the events that come at once, in bytes: 100 counts take a tenth.
const maxEvents = 64 << 10

// errSilent is why a stream is closed from here. It is a failure in the trace, which a listener who leaves is not.
var errSilent = errors.New("the stream of votes is silent")

// Live streams the counts of products as they change.
type Live struct {
	base string
	http *http.Client // without a deadline: a stream has no end

	pageTimeout time.Duration
}

// Count is how many votes a product has.
type Count struct {
	ID    int64 `json:"origami_id"`
	Votes int64 `json:"votes"`
}

// Listen calls send with the counts of the products, 1 to 100 ids: with all of
// them first, then with those that change. No counts are a heartbeat. Listen
// returns once ctx is done or send gives an error, and when the stream ends,
// which is Unavailable: try again in a moment. It closes a stream that does not
// begin within the time of a page or sends nothing for 40 s.
func (l Live) Listen(ctx context.Context, ids []int64, send func([]Count) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(l.pageTimeout, func() { cancel(errSilent) })
	defer silence.Stop()
	query := url.Values{"ids": {list(ids)}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base+"/api/votes/stream?"+query, nil)
	if err != nil {
		return err
	}
	unavailable := fault.New(fault.Unavailable, "live counts are not available right now")
	res, err := l.http.Do(req)
	if err != nil {
		return unavailable.Because(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return unavailable.Because(fmt.Errorf("the stream of votes answers %d", res.StatusCode))
	}
	events := bufio.NewReader(res.Body)
	for {
		silence.Reset(maxSilence)
		counts, err := nextCounts(events)
		if err != nil {
			return unavailable.Because(err)
		}
		if err := send(counts); err != nil {
			return err
		}
	}
}

// nextCounts reads the server-sent events (WHATWG HTML, section 9.2) that came
// at once, at most 100; a comment gives none. A line of more than 4 KiB is an
// error, and so are more than 64 KiB at once: none of ours are.
func nextCounts(events *bufio.Reader) ([]Count, error) {
	var counts []Count
	for size := 0; size <= maxEvents; {
		line, err := events.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		size += len(line)
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			var count Count
			if err := json.Unmarshal(data, &count); err != nil {
				return nil, fmt.Errorf("read an event: %w", err)
			}
			counts = append(counts, count)
		}
		if ended := len(line) == 1; ended && (events.Buffered() == 0 || len(counts) >= 100) {
			return counts, nil
		}
	}
	return nil, errors.New("the events do not end")
}

// list is ids as the catalogue reads them: 1,2,3.
func list(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(texts, ",")
}
