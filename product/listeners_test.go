package product_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	manyListeners = 2000
	memoryLimit   = 64 << 20 // bytes for all of them
)

// TestManyListeners measures what 2,000 idle listeners, which another process
// has, cost the service, and sends all of them a vote. It is not parallel, so that
// nothing else runs in this process meanwhile.
func TestManyListeners(t *testing.T) {
	s := newSite(t, 24)
	target, _ := run(t, s.config)
	warm := listen(t, target, "")
	warm.drain(t, 24)
	s.vote(t, "POST", target, 1, 1)
	warm.next(t, soon)

	debug.FreeOSMemory() // what earlier work left
	before, residentBefore := held(), resident(t)
	lines := startListeners(t, target)
	expect(t, lines, "all listen")

	withGarbage, residentAfter := held()-before, resident(t)
	debug.FreeOSMemory()
	extra := held() - before
	t.Logf("%d listeners: the memory of Go grew by %.1f MiB, by %.1f with the garbage; resident memory by %.1f MiB",
		manyListeners, mib(extra), mib(withGarbage), mib(residentAfter-residentBefore))
	if extra > memoryLimit && !underRace() {
		t.Errorf("%d listeners cost %.1f MiB, want at most %.1f", manyListeners, mib(extra), mib(memoryLimit))
	}
	for person := range int64(3) {
		start := time.Now()
		s.vote(t, "POST", target, person+10, 2)
		expect(t, lines, fmt.Sprintf(`all got {"origami_id":2,"votes":%d}`, person+1))
		t.Logf("all had a vote after %v", time.Since(start).Round(time.Millisecond))
	}
}

// underRace reports whether the race detector is built in, which makes stacks
// larger.
func underRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// startListeners starts the process of the listeners and returns its output.
func startListeners(t *testing.T, target string) *bufio.Scanner {
	t.Helper()
	listeners := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelperListeners$")
	listeners.Env = append(os.Environ(), "LISTEN_AT="+target)
	listeners.Stderr = os.Stderr
	out, err := listeners.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := listeners.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := listeners.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = listeners.Wait() }) // it ends with its input
	return bufio.NewScanner(out)
}

// held is what the Go runtime has from the system and did not give back: heap,
// the garbage in it included, stacks and its own tables.
func held() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}

// resident is the process's resident memory, 0 where the system does not tell.
// Under the race detector much of it is the detector's.
func resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func expect(t *testing.T, lines *bufio.Scanner, want string) {
	t.Helper()
	for lines.Scan() {
		if lines.Text() == want {
			return
		}
	}
	t.Fatalf("the listeners ended before %q", want)
}

// TestHelperListeners is no test but the process that listens, if LISTEN_AT says
// where.
func TestHelperListeners(t *testing.T) {
	at := os.Getenv("LISTEN_AT")
	if at == "" {
		return
	}
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, manyListeners)
	for range manyListeners {
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		go receive(c, got)
	}
	go report(got)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
}

// receive reports that the last of 24 products came, and then each event.
func receive(c net.Conn, got chan<- string) {
	_, _ = io.WriteString(c, "GET /api/votes/stream HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"+
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) a browser's length\r\n\r\n")
	lines := bufio.NewScanner(c)
	for seen := 0; lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if seen++; seen == 24 {
			got <- "listen"
		} else if seen > 24 {
			got <- "got " + data
		}
	}
}

// report prints what all listeners reported.
func report(got <-chan string) {
	counts := map[string]int{}
	for what := range got {
		if counts[what]++; counts[what] == manyListeners {
			_, _ = os.Stdout.WriteString("all " + what + "\n")
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
	slow, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = slow.Close() })
	if err := slow.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(slow, "GET /api/votes/stream HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
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
