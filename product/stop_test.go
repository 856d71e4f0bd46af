package product_test

import (
	"net"
	"sync"
	"testing"
)

// arrivals is a listener that tells of each connection whose request has reached
// its handler. A server that stops drops a request that it has only read.
type arrivals struct {
	net.Listener
	seen chan struct{}
}

func (a *arrivals) Accept() (net.Conn, error) {
	c, err := a.Listener.Accept()
	return &arrival{Conn: c, tell: sync.OnceFunc(func() { a.seen <- struct{}{} })}, err
}

type arrival struct {
	net.Conn
	tell func()
	read bool // the request, which fits into one read
}

// Read is called again just before the handler, to notice a client that disconnects.
func (a *arrival) Read(p []byte) (int, error) {
	if a.read {
		a.tell()
	}
	n, err := a.Conn.Read(p)
	a.read = n > 0
	return n, err
}

// TestStopCommitsVotesThatWait: the product is locked when the service is told to
// stop, one vote is being committed and others wait for the next commit.
func TestStopCommitsVotesThatWait(t *testing.T) {
	t.Parallel()
	const voters = 12
	s := newSite(t, 1)
	tx, err := s.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), `UPDATE product.products SET name = 'Held'`); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listening := &arrivals{Listener: l, seen: make(chan struct{}, voters)}
	s.config.Listener = listening
	url, stop := run(t, s.config)
	var votes sync.WaitGroup
	for userID := range int64(voters) {
		votes.Go(func() { s.sendVote(t, "POST", url, 1, userID+1) })
	}
	for range voters {
		<-listening.seen
	}
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	votes.Wait()
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
	if got := s.counts(t)[1]; got != voters {
		t.Errorf("%d votes, want %d", got, voters)
	}
}
