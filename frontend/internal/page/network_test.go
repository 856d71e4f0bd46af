package page_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/page"
	"craftista/shared/token/tokentest"
)

// memoryListener is one of a server in memory.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l memoryListener) Close() error {
	close(l.closed)
	return nil
}

func (l memoryListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l memoryListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// network is one in memory: its servers, by host and port.
type network map[string]memoryListener

// use has the transport dial the network's servers, unless the network is nil.
func (n network) use(t *http.Transport) {
	if n != nil {
		t.DialContext = func(ctx context.Context, _, address string) (net.Conn, error) { return n[address].dial(ctx) }
	}
}

// server is a server in a website's network.
type server struct {
	URL   string
	Close func()
}

// serve starts a server, which ends with the test.
func (w *website) serve(h http.Handler) *server {
	w.t.Helper()
	s := &server{}
	if w.network == nil {
		local := httptest.NewServer(h)
		s.URL, s.Close = local.URL, local.Close
	} else {
		l := memoryListener{make(chan net.Conn), make(chan struct{})}
		host, memory := "server-"+strconv.Itoa(len(w.network)), &http.Server{Handler: h}
		go func() { _ = memory.Serve(l) }()
		s.URL, s.Close, w.network[host+":80"] = "http://"+host, func() { _ = memory.Close() }, l
	}
	w.t.Cleanup(s.Close)
	return s
}

// inBubble runs the test on a website whose clock goes on only while everything waits: no timeout passes because the
// machine is busy, and those that a test waits for take no time.
func inBubble(t *testing.T, test func(t *testing.T, w *website)) {
	t.Helper()
	issuer := tokentest.New(t)
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { <-time.After(time.Minute) }) // all that is left ends
		transport, memory := &http.Transport{}, network{}
		memory.use(transport)
		w := &website{t: t, issuer: issuer, network: memory, transport: transport, pageTimeout: backend.PageTimeout}
		w.start(page.Settings{})
		test(t, w)
	})
}

// inRealTime is inBubble for tests in which auth does not answer: some wait for it at a mutex, and a bubble's clock
// stands still while anybody does that. The timeout is one that a busy machine needs.
func inRealTime(t *testing.T, test func(t *testing.T, w *website)) {
	t.Helper()
	w := &website{t: t, issuer: tokentest.New(t), transport: http.DefaultTransport, pageTimeout: 2 * time.Second}
	w.start(page.Settings{})
	test(t, w)
}
