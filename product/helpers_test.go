package product_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/product"
	"craftista/product/redistest"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"
	"craftista/shared/waittest"

	"github.com/jmoiron/sqlx"
)

// site is a database with products and a Redis, for any number of replicas.
type site struct {
	config   product.Config
	issuer   *tokentest.Issuer
	redis    *redistest.Server
	db       *sqlx.DB
	adminURL string // of the same database
}

func newSite(t *testing.T, products int) *site {
	t.Helper()
	database := pgtest.New(t)
	s := &site{config: product.Default(), issuer: tokentest.New(t), redis: redistest.Start(t), adminURL: database.AdminURL}
	s.config.DatabaseURL, s.config.RedisURL = database.ProductURL, s.redis.URL()
	s.config.JWKSURL, s.config.Issuer = s.issuer.JWKSURL(), s.issuer.URL
	s.config.RedisTimeout = 10 * time.Second // a busy test machine needs some
	s.db = sqlx.NewDb(pgtest.Open(t, database.ProductURL), "postgres")
	s.db.MustExec(`
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
		SELECT 'product ' || n, 'Flies.', '/crane.svg', 'easy', 1, '15 cm'
		  FROM generate_series(1, $1::integer) AS n`, products)
	return s
}

// counts returns the votes by product, of those that have some.
func (s *site) counts(t *testing.T) map[int64]int64 {
	t.Helper()
	var rows []count
	const query = `SELECT product_id AS origamiid, count(*) AS votes FROM product.votes GROUP BY product_id`
	if err := s.db.SelectContext(t.Context(), &rows, query); err != nil {
		t.Fatal(err)
	}
	counts := map[int64]int64{}
	for _, r := range rows {
		counts[r.OrigamiID] = r.Votes
	}
	return counts
}

// sendVote votes or removes the vote, again while a busy service says that it should. Like request it never ends the
// test.
func (s *site) sendVote(t *testing.T, method, url string, productID, userID int64) {
	target := fmt.Sprintf("%s/api/origamis/%d/vote", url, productID)
	status, _, body := request(t, method, target, s.issuer.Mint(userID, token.RoleUser))
	for status == 503 {
		status, _, body = request(t, method, target, s.issuer.Mint(userID, token.RoleUser))
	}
	if status != 200 {
		t.Errorf("%s of %d for %d: %d %s", method, userID, productID, status, body)
	}
}

type count struct {
	OrigamiID int64 `json:"origami_id"`
	Votes     int64 `json:"votes"`
}

// stream is an open stream.
type stream struct {
	events     chan count // closed at the end
	disconnect func()
	known      map[int64]int64 // the counts that next returned, but zeros
	err        error           // how it ended, once events is closed
}

// listen opens a stream.
func listen(t *testing.T, url, query string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", url+"/api/votes/stream"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Transport{}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("status %d, %s", res.StatusCode, got)
	}
	s := &stream{events: make(chan count, 100_000), disconnect: cancel, known: map[int64]int64{}}
	go func() {
		defer close(s.events)
		defer func() { _ = res.Body.Close() }()
		s.err = s.read(bufio.NewScanner(res.Body))
	}()
	return s
}

func (s *stream) read(lines *bufio.Scanner) error {
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var data count
		if err := json.Unmarshal([]byte(text), &data); err != nil {
			return err
		}
		s.events <- data
	}
	return lines.Err()
}

// next is the next event.
func (s *stream) next(t *testing.T) count {
	t.Helper()
	select {
	case c, ok := <-s.events:
		if !ok {
			t.Fatalf("the stream ended: %v", s.err)
		}
		if s.known[c.OrigamiID] = c.Votes; c.Votes == 0 {
			delete(s.known, c.OrigamiID)
		}
		return c
	case <-time.After(waittest.Timeout):
		t.Fatal("no event")
		return count{}
	}
}

// drain reads the first counts, of so many products.
func (s *stream) drain(t *testing.T, products int) {
	t.Helper()
	for range products {
		s.next(t)
	}
}
