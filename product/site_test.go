package product_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/product"
	"craftista/product/internal/redistest"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"

	"github.com/google/go-cmp/cmp"
	"github.com/lib/pq"
)

// site is a database with pieces and a Redis, for any number of replicas.
type site struct {
	config product.Config
	issuer *tokentest.Issuer
	redis  *redistest.Server
	db     *sql.DB
}

func newSite(t *testing.T, pieces int) *site {
	t.Helper()
	database := pgtest.New(t)
	s := &site{config: product.Default(), issuer: tokentest.New(t), redis: redistest.Start(t)}
	s.config.DatabaseURL, s.config.RedisURL = database.ProductURL, s.redis.URL()
	s.config.JWKSURL, s.config.Issuer = s.issuer.JWKSURL(), s.issuer.URL
	connector, err := pq.NewConnector(database.ProductURL)
	if err != nil {
		t.Fatal(err)
	}
	s.db = sql.OpenDB(connector)
	t.Cleanup(func() { _ = s.db.Close() })
	const query = `
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
		SELECT 'piece ' || n, 'Flies.', '/crane.svg', 'easy', 1, '15 cm'
		  FROM generate_series(1, $1::integer) AS n`
	if _, err := s.db.ExecContext(t.Context(), query, pieces); err != nil {
		t.Fatal(err)
	}
	return s
}

// counts are the table's, of pieces with votes.
func (s *site) counts(t *testing.T) map[int64]int64 {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), `SELECT product_id, count(*) FROM product.votes GROUP BY product_id`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[int64]int64{}
	for rows.Next() {
		var id, votes int64
		if err := rows.Scan(&id, &votes); err != nil {
			t.Fatal(err)
		}
		counts[id] = votes
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return counts
}

// vote votes or takes back. It never ends the test, so that any goroutine may
// call it.
func (s *site) vote(t *testing.T, method, url string, person, id int64) {
	r, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("%s/api/origamis/%d/vote", url, id), nil)
	if err != nil {
		t.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+s.issuer.Mint(person, token.RoleUser))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = res.Body.Close() }()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 {
		t.Errorf("%s of %d for %d: %d %s", method, person, id, res.StatusCode, body)
	}
}

type count struct {
	OrigamiID int64 `json:"origami_id"`
	Votes     int64 `json:"votes"`
}

// stream is an open stream.
type stream struct {
	events chan count // closed at the end
	hangUp func()
	known  map[int64]int64 // the counts that next returned, but zeros
	lastID string          // of the last event that next returned
	ids    chan string
	err    error // how it ended, once events is closed
}

// listen opens a stream. It does what a browser does with the lines.
func listen(t *testing.T, url, query, lastID string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", url+"/api/votes/stream"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", lastID)
	res, err := (&http.Transport{}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("status %d, %s", res.StatusCode, got)
	}
	s := &stream{events: make(chan count, 100_000), ids: make(chan string, 100_000), hangUp: cancel, known: map[int64]int64{}}
	go func() {
		defer close(s.events)
		defer func() { _ = res.Body.Close() }()
		s.err = s.read(bufio.NewScanner(res.Body))
	}()
	return s
}

func (s *stream) read(lines *bufio.Scanner) error {
	var id, event string
	var data count
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			id = value
		case "event":
			event = value
		case "data":
			if err := json.Unmarshal([]byte(value), &data); err != nil {
				return err
			}
		case "":
			if event == "vote" {
				s.ids <- id
				s.events <- data
			}
			event = ""
		}
	}
	return lines.Err()
}

// next is the next event. One that does not come in time fails the test.
func (s *stream) next(t *testing.T, within time.Duration) count {
	t.Helper()
	select {
	case c, ok := <-s.events:
		if !ok {
			t.Fatalf("the stream ended: %v", s.err)
		}
		s.lastID = <-s.ids
		if s.known[c.OrigamiID] = c.Votes; c.Votes == 0 {
			delete(s.known, c.OrigamiID)
		}
		return c
	case <-time.After(within):
		t.Fatalf("no event within %v", within)
		return count{}
	}
}

// until reads on until the known counts are as wanted, and returns all it read.
func (s *stream) until(t *testing.T, want map[int64]int64) []count {
	t.Helper()
	var all []count
	for !cmp.Equal(s.known, want) {
		all = append(all, s.next(t, soon))
	}
	return all
}

// comeBack hangs up and goes on at another replica.
func (s *stream) comeBack(t *testing.T, url string) *stream {
	t.Helper()
	s.hangUp()
	back := listen(t, url, "", s.lastID)
	back.known = s.known
	return back
}

// drain reads the first counts, of so many pieces.
func (s *stream) drain(t *testing.T, pieces int) {
	t.Helper()
	for range pieces {
		s.next(t, soon)
	}
}

const soon = 20 * time.Second // on a busy test machine
