package pg_test

import (
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/shared/fault"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/shared/web"
)

// hush passes bytes on to a server until it is silent; it accepts for ever.
type hush struct {
	addr   string
	silent atomic.Bool
}

func newHush(t *testing.T, server string) *hush {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	h := &hush{addr: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			t.Cleanup(func() { _ = c.Close() })
			go h.pass(c, server)
		}
	}()
	return h
}

func (h *hush) pass(c net.Conn, server string) {
	up, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	go func() { // ends with either connection
		_, _ = io.Copy(up, c)
		_ = up.Close()
	}()
	buf := make([]byte, 4096)
	for {
		n, err := up.Read(buf)
		if err != nil {
			return
		}
		if h.silent.Load() {
			continue
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}

// TestSilentServerIsAway is a database whose machine hangs: it accepts, and says
// nothing any more.
func TestSilentServerIsAway(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(pgtest.New(t).AdminURL)
	if err != nil {
		t.Fatal(err)
	}
	h := newHush(t, u.Host)
	u.Host = h.addr
	db, err := pg.Open(u.String(), telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.silent.Store(true)
	for _, when := range []string{"in the middle of a query", "in the handshake"} {
		start := time.Now()
		var one int
		err := db.GetContext(t.Context(), &one, `SELECT 1`)
		if web.FaultOf(err).Kind != fault.Unavailable {
			t.Errorf("%s: got %v after %v, want Unavailable", when, err, time.Since(start))
		}
	}
}
