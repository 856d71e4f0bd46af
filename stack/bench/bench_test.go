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
	"sync"
	"testing"
	"time"
)

const (
	clients = 16  // at once, each on a connection that stays open
	turn    = 100 // requests by each client before it is the next rival's turn
)

// rival is one of those who are measured.
type rival struct {
	name, addr, path string
	header           map[string]string
}

// race has the rivals take turns and reports what each answers in a second, and
// which part that is of what the first does. The client reads no more of an
// answer than it must, so that the time is the server's: both run in this
// process, on the same processors.
func race(b *testing.B, rivals []rival) {
	b.Helper()
	lines := make([][]*line, len(rivals))
	for i, r := range rivals {
		for range clients {
			lines[i] = append(lines[i], r.dial(b))
		}
		lap(b, lines[i]) // to warm up
	}
	took := make([]time.Duration, len(rivals))
	n := 0
	for b.Loop() {
		for i := range rivals {
			took[i] += lap(b, lines[i])
		}
		n += clients * turn
	}
	b.ReportMetric(0, "ns/op") // of all together, which says nothing
	for i, r := range rivals {
		b.ReportMetric(float64(n)/took[i].Seconds(), r.name+"-req/s")
		if i > 0 {
			b.ReportMetric(took[0].Seconds()/took[i].Seconds(), r.name+"-of-bare")
		}
	}
}

// lap is one turn of all clients.
func lap(b *testing.B, lines []*line) time.Duration {
	b.Helper()
	start := time.Now()
	var wg sync.WaitGroup
	for _, l := range lines {
		wg.Go(func() {
			for range turn {
				if err := l.ask(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// line is a connection to a rival.
type line struct {
	conn    net.Conn
	request []byte
	answer  []byte // of the length that every answer of the rival has
}

func (r rival) dial(b *testing.B) *line {
	b.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	var request bytes.Buffer
	fmt.Fprintf(&request, "GET %s HTTP/1.1\r\nHost: %s\r\n", r.path, r.addr)
	for name, value := range r.header {
		fmt.Fprintf(&request, "%s: %s\r\n", name, value)
	}
	request.WriteString("\r\n")
	l := &line{conn: conn, request: request.Bytes()}
	l.measure(b)
	return l
}

// measure reads one answer as a browser does, to learn how long all are.
func (l *line) measure(b *testing.B) {
	b.Helper()
	if _, err := l.conn.Write(l.request); err != nil {
		b.Fatal(err)
	}
	var read bytes.Buffer
	answer := bufio.NewReader(io.TeeReader(l.conn, &read))
	res, err := http.ReadResponse(answer, nil)
	if err != nil {
		b.Fatal(err)
	}
	if _, err = io.Copy(io.Discard, res.Body); err != nil || answer.Buffered() > 0 {
		b.Fatal(err, answer.Buffered())
	}
	l.answer = read.Bytes()
}

// ask sends the request and reads the answer. One of another length would leave
// the next without its first line.
func (l *line) ask() error {
	if _, err := l.conn.Write(l.request); err != nil {
		return err
	}
	_, err := io.ReadFull(l.conn, l.answer)
	if ok := []byte("HTTP/1.1 200 OK\r\n"); err == nil && !bytes.HasPrefix(l.answer, ok) {
		err = fmt.Errorf("answered %.40q", l.answer)
	}
	return err
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
