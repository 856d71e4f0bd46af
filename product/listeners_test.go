package product_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
)

const (
	manyListeners = 2000
	memoryLimit   = 64 // MiB for all of them
)

// TestManyListeners measures what 2,000 idle listeners cost the service, and sends
// all of them a vote. It is not parallel, so that nothing else runs in this process
// meanwhile.
func TestManyListeners(t *testing.T) {
	s := newSite(t, 24)
	target, _ := run(t, s.config)
	warm := listen(t, target, "")
	warm.drain(t, 24)
	s.vote(t, "POST", target, 1, 1)
	warm.next(t, soon)

	debug.FreeOSMemory() // what earlier work left
	before := held()
	listeners := make([]net.Conn, manyListeners)
	for i := range listeners {
		listeners[i] = dial(t, target)
	}
	lines := bufio.NewReader(nil)
	for _, c := range listeners {
		lines.Reset(c)
		for range 24 {
			nextData(t, lines)
		}
	}
	debug.FreeOSMemory()
	cost := (held() - before) >> 20
	t.Logf("%d listeners cost %d MiB of heap and stacks", manyListeners, cost)
	if cost > memoryLimit && !underRace() {
		t.Errorf("want at most %d MiB", memoryLimit)
	}
	for person := range int64(3) {
		s.vote(t, "POST", target, person+10, 2)
		want := fmt.Sprintf(`data: {"origami_id":2,"votes":%d}`, person+1)
		for _, c := range listeners {
			lines.Reset(c)
			if got := nextData(t, lines); got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
	}
}

// dial opens a stream on a connection that has little room for what comes, and
// which costs this process little more than a file descriptor.
func dial(t *testing.T, target string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(target, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	const request = "GET /api/votes/stream HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) a browser's length\r\n\r\n"
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	return c
}

// underRace reports whether the race detector is built in, which makes stacks
// larger.
func underRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// held is how many bytes the Go runtime uses for the heap and for stacks.
func held() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// nextData is the next line with data.
func nextData(t *testing.T, lines *bufio.Reader) string {
	t.Helper()
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "data: ") {
			return strings.TrimSpace(line)
		}
	}
}

// smallBuffers is a listener whose connections have little room for what is sent.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return c, err
}

// TestSlowListenerIsDropped: one that takes nothing, while another gets each vote.
func TestSlowListenerIsDropped(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1000)
	dropped := make(chan struct{})
	s.config.Log = slog.NewTextHandler(writer(func(line []byte) {
		if bytes.Contains(line, []byte(`msg="stream ended"`)) {
			close(dropped)
		}
	}), nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.config.Listener = smallBuffers{l}
	target, _ := run(t, s.config)
	slow := dial(t, target)
	quick := listen(t, target, "?ids=7")
	quick.drain(t, 1)
	for person, slowStays := int64(1), true; slowStays; person++ {
		s.vote(t, "POST", target, person, 7)
		if got, want := quick.next(t, soon), (count{7, person}); got != want {
			t.Fatalf("the quick one got %v, want %v", got, want)
		}
		select {
		case <-dropped:
			slowStays = false
		default:
		}
	}
	rest, err := io.ReadAll(slow)
	if len(rest) == 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the slow one got %d bytes: %v", len(rest), err)
	}
}

// writer is an io.Writer that its caller locks.
type writer func(line []byte)

func (w writer) Write(line []byte) (int, error) {
	w(line)
	return len(line), nil
}
