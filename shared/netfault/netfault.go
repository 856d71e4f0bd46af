// Package netfault is for tests: a TCP proxy before a server of any kind, which can be made unreachable,
// unresponsive or slow.
package netfault

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy passes TCP connections on to a target until it is told otherwise. It is safe for concurrent use.
type Proxy struct {
	Addr string       // host:port to dial instead of the target's
	Sent atomic.Int64 // accepted connections, and chunks of data from callers

	listener net.Listener
	work     sync.WaitGroup
	fault    atomic.Pointer[fault]

	mu     sync.Mutex // guards the rest
	target string     // host:port
	conns  []net.Conn // of the past, too
}

// fault is one state of a proxy.
type fault struct {
	cut      bool          // connections are closed
	block    bool          // data waits for the next state
	delay    time.Duration // of each chunk of data
	replaced chan struct{} // closed when the next state begins
}

// New starts a proxy to target, which is host:port or a URL with one. It panics where it cannot listen, as
// httptest.NewServer does. The caller closes it.
func New(target string) *Proxy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("netfault: listen: %v", err))
	}
	p := &Proxy{Addr: listener.Addr().String(), listener: listener}
	p.fault.Store(&fault{replaced: make(chan struct{})})
	p.SetTarget(target)
	p.work.Go(p.accept)
	return p
}

// Close ends all connections and waits until nothing of the proxy runs.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.Cut()
	p.work.Wait()
}

// URL is rawURL with the proxy's host and port.
func (p *Proxy) URL(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		panic(fmt.Sprintf("netfault: %v", err))
	}
	u.Host = p.Addr
	return u.String()
}

// SetTarget passes new connections on to another target: host:port or a URL with one.
func (p *Proxy) SetTarget(target string) {
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		target = u.Host
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// Cut closes all connections, and new ones as they come: the target is unreachable.
func (p *Proxy) Cut() { p.replace(&fault{cut: true}) }

// Block keeps connections open and holds back all data until the next change: the target is unresponsive.
func (p *Proxy) Block() { p.replace(&fault{block: true}) }

// Delay holds back each chunk of data for that long.
func (p *Proxy) Delay(d time.Duration) { p.replace(&fault{delay: d}) }

// Restore ends Cut, Block and Delay.
func (p *Proxy) Restore() { p.replace(&fault{}) }

func (p *Proxy) replace(next *fault) {
	next.replaced = make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.fault.Swap(next).replaced)
	if next.cut {
		for _, c := range p.conns {
			_ = c.Close()
		}
		p.conns = nil
	}
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.Sent.Add(1)
		p.work.Go(func() { p.connect(c) })
	}
}

// connect dials the target for client and passes data both ways until either side ends.
func (p *Proxy) connect(client net.Conn) {
	defer func() { _ = client.Close() }()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	if !p.add(client, server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(server, client, &p.Sent) })
	both.Go(func() { p.pass(client, server, new(atomic.Int64)) })
	both.Wait()
}

// add registers connections for Cut; it is false if the proxy is cut already.
func (p *Proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conns...)
	return !p.fault.Load().cut
}

// pass copies data and closes both ends when either is closed.
func (p *Proxy) pass(to, from net.Conn, chunks *atomic.Int64) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		chunks.Add(1)
		p.hold()
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// hold waits as long as the present fault holds back a chunk.
func (p *Proxy) hold() {
	f := p.fault.Load()
	for f.block {
		<-f.replaced
		f = p.fault.Load()
	}
	if f.delay > 0 {
		select {
		case <-time.After(f.delay):
		case <-f.replaced:
		}
	}
}
