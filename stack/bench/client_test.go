package bench

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// script is what a client sends to base, over and over.
type script struct {
	base     string // URL
	requests []string
	each     int // so many requests count as one
}

func request(method, path string, headers ...string) string {
	text := method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n"
	if method == "POST" {
		text += "Content-Length: 0\r\n"
	}
	for i := 0; i < len(headers); i += 2 {
		text += headers[i] + ": " + headers[i+1] + "\r\n"
	}
	return text + "\r\n"
}

// voting votes for each of the pieces and then takes each vote back.
func voting(base string, path func(piece int) string, pieces []int, headers ...string) script {
	s := script{base: base, each: 1}
	for _, method := range []string{"POST", "DELETE"} {
		for _, id := range pieces {
			s.requests = append(s.requests, request(method, path(id), headers...))
		}
	}
	return s
}

// client goes through a script on one connection. It reads no more of an answer than it must: it has the same
// processors as what it measures.
type client struct {
	script

	next   int
	conn   net.Conn
	answer *bufio.Reader
}

func dial(b *testing.B, s script) *client {
	b.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return &client{script: s, conn: conn, answer: bufio.NewReaderSize(conn, 64<<10)}
}

// work has all clients send until the time is over, and notes what they got and what it cost.
func (s *side) work(b *testing.B, d time.Duration) {
	b.Helper()
	var answered, refused atomic.Int64
	from, began := used(b), time.Now()
	var all sync.WaitGroup
	for _, c := range s.clients {
		all.Go(func() {
			for time.Since(began) < d {
				ok, err := c.send()
				switch {
				case err != nil:
					b.Error(err)
					return
				case ok:
					answered.Add(1)
				default:
					refused.Add(1)
				}
			}
		})
	}
	all.Wait()
	s.rates = append(s.rates, float64(answered.Load())/time.Since(began).Seconds())
	s.cpu.add(from, used(b))
	s.answered += int(answered.Load())
	s.refused += int(refused.Load())
}

// send goes through the next requests that count as one and skips the answers, which must have a Content-Length. It is
// false if one of them is 503.
func (c *client) send() (ok bool, err error) {
	ok = true
	for range c.each {
		if _, err := io.WriteString(c.conn, c.requests[c.next]); err != nil {
			return false, err
		}
		c.next = (c.next + 1) % len(c.requests)
		status, err := c.skip()
		switch {
		case err != nil:
			return false, err
		case status == "503":
			ok = false
		case status != "200" && status != "303":
			return false, fmt.Errorf("status %s for %.60q", status, c.requests[c.next])
		}
	}
	return ok, nil
}

func (c *client) skip() (status string, err error) {
	length := -1
	for {
		line, err := c.answer.ReadSlice('\n')
		switch {
		case err != nil:
			return "", err
		case status == "":
			status = string(line[9:12])
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[16:]))); err != nil {
				return "", err
			}
		case len(line) > 2: // some other field
		case length < 0:
			return "", fmt.Errorf("status %s without a length", status)
		default:
			_, err = c.answer.Discard(length)
			return status, err
		}
	}
}

// person is somebody who has signed in to the site.
type person struct {
	id              int    // for the bare handler
	cookies, bearer string // values of Cookie and Authorization
}

func (s servers) signUp(b *testing.B, n int) (people []person) {
	b.Helper()
	run := strings.ToLower(rand.Text()[:8])
	for i := range n {
		name := fmt.Sprintf("bench-%s-%d", run, i)
		body := fmt.Sprintf(`{"username": %q, "email": "%[1]s@example.com", "password": "paper-crane-bench"}`, name)
		client := fmt.Sprint("192.0.2.", i) // auth throttles by address
		s.post(b, client, s.URLs["auth"]+"/api/auth/register", "application/json", body)
		form := url.Values{"username": {name}, "password": {"paper-crane-bench"}}
		p := person{id: 1_000_000 + i}
		for _, c := range s.post(b, client, s.URLs["frontend"]+"/login", "application/x-www-form-urlencoded", form.Encode()) {
			p.cookies += c.Name + "=" + c.Value + "; "
			if c.Name == "craftista_session" {
				p.bearer = "Bearer " + c.Value
			}
		}
		for k := range 6 {
			url := fmt.Sprintf("%s/api/origamis/%d/vote", s.URLs["product"], 1+(i+3*k)%pieces)
			s.post(b, client, url, "application/json", "", "Authorization", p.bearer)
		}
		people = append(people, p)
	}
	return people
}

// post sends the body with further headers, name by name.
func (s servers) post(b *testing.B, client, url, mediaType, body string, headers ...string) []*http.Cookie {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set("X-Internal-Api-Key", s.Key)
	r.Header.Set("X-Client-Address", client)
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= http.StatusBadRequest {
		b.Fatalf("%s answers %s", url, res.Status)
	}
	return res.Cookies()
}

// size is that of the page for somebody with the cookies.
func size(b *testing.B, url, cookies string) int {
	b.Helper()
	body, err := fetch(b.Context(), url, cookies)
	if err != nil {
		b.Fatal(err)
	}
	return len(body)
}
