package backend

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxSilence is how long the catalogue's stream may say nothing: two heartbeats
// and a little more.
const maxSilence = 40 * time.Second

// errSilent is why a stream is closed from here. It is a failure in the trace, which the end of all listeners is not.
var errSilent = errors.New("the stream of votes is silent")

// Count is how many votes a product has.
type Count struct {
	ID    int64 `json:"origami_id"`
	Votes int64 `json:"votes"`
}

// read calls receive with the counts of the products, 1 to maxWatched ids: with all of
// them first, then with those that change. It returns once ctx is done, and when the
// stream ends. It closes a stream that does not begin within the time of a page or
// sends nothing for 40 s.
func (l *Live) read(ctx context.Context, ids []int64, receive func([]Count)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(l.pageTimeout, func() { cancel(errSilent) })
	defer silence.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base+"/api/votes/stream?ids="+list(ids), nil)
	if err != nil {
		return err
	}
	res, err := l.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream of votes answers %d", res.StatusCode)
	}
	events := bufio.NewReader(res.Body)
	for {
		silence.Reset(maxSilence)
		counts, err := nextCounts(events)
		if err != nil {
			return err
		}
		receive(counts)
	}
}

// nextCounts reads the server-sent events (WHATWG HTML, section 9.2) that came at
// once, at most 100; each of ours has one line of data. A line of more than 4 KiB is an
// error.
func nextCounts(events *bufio.Reader) (counts []Count, err error) {
	for {
		line, err := events.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			var count Count
			if err := json.Unmarshal(data, &count); err != nil {
				return nil, fmt.Errorf("read an event: %w", err)
			}
			counts = append(counts, count)
		}
		if events.Buffered() == 0 || len(counts) == 100 {
			return counts, nil
		}
	}
}

// list is ids as the catalogue reads them: 1,2,3.
func list(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(texts, ",")
}
