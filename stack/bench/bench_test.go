// Package bench measures requests through the running services against bare
// handlers that send the same bytes, taking turns in the same run.
package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	clients = 16              // at once, each on a connection that stays open
	share   = 4 * time.Second // for each rival in turns, each time the benchmark comes by
)

// rival is one of those who are measured.
type rival struct {
	name, addr, path string
	header           map[string]string
}

// race has the rivals take turns and reports what each answers in a second, and
// which part that is of what the first does in the same round: both the median,
// since whatever else runs on the machine spoils single rounds. The client reads
// no more of an answer than it must, so that the time is the server's: both run
// in this process, on the same processors.
func race(b *testing.B, turn time.Duration, rivals []rival) {
	b.Helper()
	lines := make([][]*line, len(rivals))
	for i, r := range rivals {
		for range clients {
			lines[i] = append(lines[i], r.dial(b))
		}
		lap(b, lines[i], turn/10) // to warm up
	}
	rates, parts := make([][]float64, len(rivals)), make([][]float64, len(rivals)) // by rival and round
	for b.Loop() {
		for range share / turn {
			first := 0.0
			for i := range rivals {
				start := time.Now()
				rate := float64(lap(b, lines[i], turn)) / time.Since(start).Seconds()
				if i == 0 {
					first = rate
				}
				rates[i], parts[i] = append(rates[i], rate), append(parts[i], rate/first)
			}
		}
	}
	b.ReportMetric(0, "ns/op") // of all together, which says nothing
	for i, r := range rivals {
		b.ReportMetric(median(rates[i]), r.name+"-req/s")
		if i > 0 {
			b.ReportMetric(median(parts[i]), r.name+"-of-bare")
		}
	}
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// lap is one turn of all clients, and how many answers they got.
func lap(b *testing.B, lines []*line, turn time.Duration) int64 {
	b.Helper()
	var answered atomic.Int64
	end := time.Now().Add(turn)
	var wg sync.WaitGroup
	for _, l := range lines {
		wg.Go(func() {
			for time.Now().Before(end) {
				if err := l.ask(); err != nil {
					b.Error(err)
					return
				}
				answered.Add(1)
			}
		})
	}
	wg.Wait()
	return answered.Load()
}

// line is a connection to a rival.
type line struct {
	conn    net.Conn
	request []byte
	answer  *bufio.Reader
}

func (r rival) dial(b *testing.B) *line {
	b.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	request := "GET " + r.path + " HTTP/1.1\r\nHost: " + r.addr + "\r\n"
	for name, value := range r.header {
		request += name + ": " + value + "\r\n"
	}
	return &line{conn, []byte(request + "\r\n"), bufio.NewReaderSize(conn, 64<<10)}
}

// ask sends the request and skips the answer, which has to tell its length.
func (l *line) ask() error {
	if _, err := l.conn.Write(l.request); err != nil {
		return err
	}
	status, length := "", -1
	for {
		row, err := l.answer.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case status == "":
			status = string(row[9:12])
		case bytes.HasPrefix(row, []byte("Content-Length: ")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(row[16:]))); err != nil {
				return err
			}
		case len(row) > 2: // some other field
		case status != "200" || length < 0:
			return fmt.Errorf("answered with status %s and length %d", status, length)
		default:
			_, err = l.answer.Discard(length)
			return err
		}
	}
}

// fetch is the body of the page at url.
func fetch(b *testing.B, url string) []byte {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		b.Fatal(fmt.Errorf("%s answers %s: %w", url, res.Status, err))
	}
	return body
}
