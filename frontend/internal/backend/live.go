package backend

import (
	"bufio"
	"context"
	"encoding/json"
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

// Live tells the counts of products as they change.
type Live struct {
	base string
	http *http.Client // without a deadline: a stream has no end
}

// Count is how many votes a product has.
type Count struct {
	ID    int64 `json:"origami_id"`
	Votes int64 `json:"votes"`
}

// Listen tells the counts of the products, 1 to 100, as they are and as they
// change, from position on, which tell was given with the last ones; "" is the
// beginning. No counts are a heartbeat. Listen returns once ctx is done or tell
// gives an error, and when the stream ends, which is Unavailable: ask again in a
// moment. It hangs up on a stream that does not begin within ReadTimeout or is
// silent for 40 s.
func (l Live) Listen(ctx context.Context, ids []int64, position string, tell func(counts []Count, position string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	quiet := time.AfterFunc(ReadTimeout, cancel)
	defer quiet.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base+"/api/votes/stream?"+url.Values{"ids": {list(ids)}}.Encode(), nil)
	if err != nil {
		return err
	}
	if position != "" {
		req.Header.Set("Last-Event-ID", position)
	}
	away := fault.New(fault.Unavailable, "the live counts are away just now")
	res, err := l.http.Do(req)
	if err != nil {
		return away.Because(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return away.Because(fmt.Errorf("the stream of votes answers %d", res.StatusCode))
	}
	events := events{lines: bufio.NewReader(res.Body), position: position}
	for {
		quiet.Reset(maxSilence)
		counts, err := events.next()
		if err != nil {
			return away.Because(err)
		}
		if err := tell(counts, events.position); err != nil {
			return err
		}
	}
}

// events reads server-sent events (WHATWG HTML, section 9.2).
type events struct {
	lines    *bufio.Reader
	position string
}

// next are the counts that came at once, none for a heartbeat. A line of more
// than 4 KiB is an error: none of ours is.
func (e *events) next() ([]Count, error) {
	var counts []Count
	for {
		line, err := e.lines.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		field, value, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), ":")
		switch value = strings.TrimPrefix(value, " "); field {
		case "id":
			e.position = value
		case "data":
			var count Count
			if err := json.Unmarshal([]byte(value), &count); err != nil {
				return nil, fmt.Errorf("read an event: %w", err)
			}
			counts = append(counts, count)
		}
		if ended := len(line) == 1; ended && (e.lines.Buffered() == 0 || len(counts) >= 100) {
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
