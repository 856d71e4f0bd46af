package flat

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"craftista/db"
	"craftista/db/pgtest"
	"craftista/product/redistest"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/jmoiron/sqlx"
)

// environment is a running stack and somebody who signed in to it.
type environment struct {
	product, recommendation string // URLs
	token, url              string // url is the database's
	db                      *sqlx.DB
	products                int64
}

// start runs a stack over the seed, filled up to the amounts; where these are
// more than the seed, over the database that FLAT_DATABASE names, if it does.
func start(b *testing.B, fill db.Amounts) *environment {
	b.Helper()
	e := &environment{}
	s := stacktest.Start(b, func(c *local.Config) {
		c.RedisURL = redistest.Start(b).URL()
		if filled := os.Getenv("FLAT_DATABASE"); filled != "" && fill.Products > 0 {
			c.DatabaseURL, c.Passwords = filled, db.Passwords{}
		}
		var err error
		if e.db, err = pg.Open(c.DatabaseURL, telemetry.Discard()); err != nil {
			b.Fatal(err)
		}
		e.url = c.DatabaseURL
		b.Cleanup(func() { _ = e.db.Close() })
		began, told := time.Now(), time.Now()
		err = db.Fill(b.Context(), c.DatabaseURL, fill, func(now db.Amounts) {
			if time.Since(told) > 10*time.Second {
				told = time.Now()
				b.Logf("%.0f s: %d of %d products, %d votes", time.Since(began).Seconds(), now.Products, fill.Products, now.Votes)
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.db.QueryRowContext(b.Context(), `SELECT count(*) FROM product.products`).Scan(&e.products); err != nil {
			b.Fatal(err)
		}
	})
	e.product, e.recommendation = s.URLs["product"], s.URLs["recommendation"]
	e.signIn(b, s.URLs["auth"])
	return e
}

func (e *environment) signIn(b *testing.B, auth string) {
	b.Helper()
	a := db.DemoAccounts()[0]
	body := fmt.Sprintf(`{"username": %q, "password": %q}`, a.Username, a.Password)
	res, err := http.Post(auth+"/api/auth/login", "application/json", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var reply struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&reply); err != nil || reply.AccessToken == "" {
		b.Fatalf("sign in: %s, %v", res.Status, err)
	}
	e.token = reply.AccessToken
}

// exec writes to the database, however long it takes.
func (e *environment) exec(b *testing.B, query string, args ...any) {
	b.Helper()
	if _, err := pgtest.Open(b, e.url).ExecContext(b.Context(), query, args...); err != nil {
		b.Fatal(err)
	}
}

// call is callAt for product.
func (e *environment) call(b *testing.B, method, target string) (time.Duration, http.Header) {
	b.Helper()
	return e.callAt(b, method, e.product+target)
}

// callAt makes a request and returns how long it took and the response's header.
func (e *environment) callAt(b *testing.B, method, target string) (time.Duration, http.Header) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, target, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+e.token)
	began := time.Now()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	took := time.Since(began)
	if err != nil || res.StatusCode != http.StatusOK {
		b.Fatalf("%s %s: %s, %v", method, target, res.Status, err)
	}
	return took, res.Header
}

// words are ten that about one in so many products has.
func (e *environment) words(b *testing.B, in int64) []string {
	b.Helper()
	const query = `
		SELECT word
		  FROM product.words
		 WHERE word ~ '^[a-z]{6,}$'
		 ORDER BY abs(products - $1), word
		 LIMIT 10`
	var words []string
	err := e.db.SelectContext(b.Context(), &words, query, max(1, e.products/in))
	if err != nil || len(words) < 10 {
		b.Fatalf("%d words: %v", len(words), err)
	}
	return words
}
