package pgtest

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Relay stands between clients and a PostgreSQL server, which for them can then go away, fall silent, or be another
// one. It is safe for concurrent use and ends with the test.
type Relay struct {
	addr string
	tb   testing.TB

	mu     sync.Mutex // guards the rest
	listen net.Listener
	server string // host:port
	open   map[net.Conn]bool
	silent bool
}

// NewRelay starts a relay to the server of databaseURL.
func NewRelay(tb testing.TB, databaseURL string) *Relay {
	tb.Helper()
	r := &Relay{addr: "127.0.0.1:0", tb: tb, open: map[net.Conn]bool{}}
	r.To(databaseURL)
	tb.Cleanup(r.Cut)
	return r
}

// URL is databaseURL by way of the relay.
func (r *Relay) URL(databaseURL string) string {
	u := parse(r.tb, databaseURL)
	u.Host = r.addr
	return u.String()
}

// Cut ends all connections and refuses new ones, as when the server is gone.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listen != nil {
		_ = r.listen.Close()
		r.listen = nil
	}
	for c := range r.open {
		_ = c.Close()
	}
}

// To accepts connections again, if Cut, and leads new ones to the server of databaseURL.
func (r *Relay) To(databaseURL string) {
	r.tb.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", r.addr)
	if err != nil {
		r.tb.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listen, r.addr, r.server = l, l.Addr().String(), parse(r.tb, databaseURL).Host
	go r.accept(l) // ends with l
}

// Hush makes the server silent, or no longer so: connections stand and new ones are accepted, but whatever it says
// meanwhile is lost.
func (r *Relay) Hush(silent bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = silent
}

func (r *Relay) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go r.pass(l, c)
	}
}

// pass copies both ways until either side ends or the relay is cut.
func (r *Relay) pass(l net.Listener, client net.Conn) {
	defer client.Close()
	r.mu.Lock()
	to := r.server
	r.mu.Unlock()
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	defer r.drop(client, server)
	if !r.keep(l, client, server) {
		return
	}
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	buf := make([]byte, 4096)
	for {
		n, err := server.Read(buf)
		if err == nil && !r.hushed() {
			_, err = client.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// keep notes connections that Cut is to close, unless it has already.
func (r *Relay) keep(l net.Listener, conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		r.open[c] = true
	}
	return r.listen == l
}

func (r *Relay) drop(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		delete(r.open, c)
	}
}

func (r *Relay) hushed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.silent
}

func parse(tb testing.TB, databaseURL string) *url.URL {
	tb.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		tb.Fatal(err)
	}
	return u
}
