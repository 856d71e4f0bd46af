package redistest

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Line is a TCP line to a server of whatever kind, for a test to disturb. It
// ends with the test.
type Line struct {
	Addr string       // host:port to dial instead of the server's
	Sent atomic.Int64 // dialled connections, and pieces of data from callers

	server string
	fault  atomic.Pointer[lineFault]

	mu    sync.Mutex // guards conns
	conns []net.Conn
}

type lineFault struct {
	cut    bool          // connections end at once
	delay  time.Duration // of each piece of data
	mended chan struct{} // data waits for it; nil if it does not
}

// NewLine returns a good line to server, host:port.
func NewLine(tb testing.TB, server string) *Line {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	l := &Line{Addr: listener.Addr().String(), server: server}
	l.fault.Store(&lineFault{})
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			work.Go(func() { l.carry(c) })
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		l.Cut()
		work.Wait()
	})
	return l
}

// Cut ends all connections, and new ones as they come.
func (l *Line) Cut() { l.become(&lineFault{cut: true}) }

// Hold keeps connections, and all data until the line is mended.
func (l *Line) Hold() { l.become(&lineFault{mended: make(chan struct{})}) }

// Slow delays all data.
func (l *Line) Slow(by time.Duration) { l.become(&lineFault{delay: by}) }

// Mend makes the line good again.
func (l *Line) Mend() { l.become(&lineFault{}) }

func (l *Line) become(f *lineFault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if was := l.fault.Swap(f); was.mended != nil {
		close(was.mended)
	}
	if f.cut {
		for _, c := range l.conns {
			_ = c.Close()
		}
		l.conns = nil
	}
}

// keep notes connections for the next cut, unless the line is cut already.
func (l *Line) keep(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, conns...)
	return !l.fault.Load().cut
}

func (l *Line) carry(c net.Conn) {
	l.Sent.Add(1)
	defer func() { _ = c.Close() }()
	if l.fault.Load().cut {
		return
	}
	up, err := net.Dial("tcp", l.server)
	if err != nil {
		return
	}
	defer func() { _ = up.Close() }()
	if !l.keep(c, up) {
		return
	}
	var work sync.WaitGroup
	work.Go(func() { l.pump(up, c, &l.Sent) })
	work.Go(func() { l.pump(c, up, new(atomic.Int64)) })
	work.Wait()
}

// pump passes data on until either end closes.
func (l *Line) pump(to, from net.Conn, count *atomic.Int64) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		count.Add(1)
		for f := l.fault.Load(); f.mended != nil || f.delay > 0; f = l.fault.Load() {
			if f.mended == nil {
				<-time.After(f.delay)
				break
			}
			<-f.mended
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
