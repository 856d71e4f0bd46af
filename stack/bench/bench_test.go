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
	total   = 4 * time.Second // for each subject in turns, in each iteration of the benchmark
)

// subject is one of the servers that are compared.
type subject struct {
	name, addr, path string
	header           map[string]string
}

// compare has the subjects take turns and reports what each answers in a second,
// and which part that is of what the first does in the same round: both the
// median, since whatever else runs on the machine spoils single rounds. The client
// reads no more of an answer than it must, so that the time is the server's: both
// run in this process, on the same processors.
func compare(b *testing.B, turn time.Duration, subjects []subject) {
	b.Helper()
	conns := make([][]*connection, len(subjects))
	for i, r := range subjects {
		for range clients {
			conns[i] = append(conns[i], r.dial(b))
		}
		measure(b, conns[i], turn/10) // to warm up
	}
	rates, parts := make([][]float64, len(subjects)), make([][]float64, len(subjects)) // by subject and round
	for b.Loop() {
		for range total / turn {
			first := 0.0
			for i := range subjects {
				start := time.Now()
				rate := float64(measure(b, conns[i], turn)) / time.Since(start).Seconds()
				if i == 0 {
					first = rate
				}
				rates[i], parts[i] = append(rates[i], rate), append(parts[i], rate/first)
			}
		}
	}
	b.ReportMetric(0, "ns/op") // of all together, which says nothing
	for i, r := range subjects {
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

// measure is one turn of all clients, and how many answers they got.
func measure(b *testing.B, conns []*connection, turn time.Duration) int64 {
	b.Helper()
	var answered atomic.Int64
	end := time.Now().Add(turn)
	var wg sync.WaitGroup
	for _, c := range conns {
		wg.Go(func() {
			for time.Now().Before(end) {
				if err := c.get(); err != nil {
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

// connection is an open one to a subject.
type connection struct {
	conn    net.Conn
	request []byte
	answer  *bufio.Reader
}

func (r subject) dial(b *testing.B) *connection {
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
	return &connection{conn, []byte(request + "\r\n"), bufio.NewReaderSize(conn, 64<<10)}
}

// get sends the request and skips the answer, which must have a Content-Length.
func (c *connection) get() error {
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	status, length := "", -1
	for {
		row, err := c.answer.ReadSlice('\n')
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
			_, err = c.answer.Discard(length)
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
