package product_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/product"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"
)

// arrivals is a listener that counts the connections on which a request came.
type arrivals struct {
	net.Listener
	n atomic.Int64
}

func (a *arrivals) Accept() (net.Conn, error) {
	c, err := a.Listener.Accept()
	return &arrival{Conn: c, all: a}, err
}

type arrival struct {
	net.Conn
	all  *arrivals
	seen atomic.Bool
}

func (a *arrival) Read(p []byte) (int, error) {
	n, err := a.Conn.Read(p)
	if n > 0 && a.seen.CompareAndSwap(false, true) {
		a.all.n.Add(1)
	}
	return n, err
}

// TestStopCommitsVotesThatWait: the piece is locked when the service is told to
// stop, one vote is being committed and others wait for the next commit.
func TestStopCommitsVotesThatWait(t *testing.T) {
	t.Parallel()
	const voters = 12
	issuer, database := tokentest.New(t), pgtest.New(t)
	addCrane(t, database.ProductURL)
	db, err := pg.Open(database.AdminURL, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	tx := db.MustBegin()
	tx.MustExec(`UPDATE product.products SET name = 'Held'`)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, listening := product.Default(), &arrivals{Listener: l}
	c.DatabaseURL, c.JWKSURL, c.Issuer = database.ProductURL, issuer.JWKSURL(), issuer.URL
	c.Listener, c.Log = listening, slog.DiscardHandler
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- product.Run(ctx, c) }()
	told := make(chan int, voters)
	for person := range int64(voters) {
		go func() { told <- vote(t, "http://"+l.Addr().String(), issuer.Mint(person+1, token.RoleUser)) }()
	}
	for end := time.Now().Add(10 * time.Second); listening.n.Load() < voters && time.Now().Before(end); <-time.After(time.Millisecond) {
	}
	stop()
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for range voters {
		if status := <-told; status != 200 {
			t.Errorf("a voter is told %d", status)
		}
	}
	if err := <-done; err != nil {
		t.Errorf("stop: %v", err)
	}
	var votes int
	if err := db.GetContext(t.Context(), &votes, `SELECT votes FROM product.products`); err != nil || votes != voters {
		t.Errorf("%d votes, %v, want %d", votes, err, voters)
	}
}

// vote votes on a connection of its own and returns the status, 0 for none.
func vote(t *testing.T, url, bearer string) int {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/origamis/1/vote", nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Error(err)
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}
