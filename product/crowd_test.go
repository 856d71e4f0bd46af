package product_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

const (
	crowdSize  = 2000
	crowdLimit = 64 << 20 // bytes for all of it
)

// TestCrowd measures what 2,000 idle listeners, which another process holds,
// cost the service, and has them all hear a vote. It is not parallel, so that
// nothing else runs in this process meanwhile.
func TestCrowd(t *testing.T) {
	s := newSite(t, 24)
	target, _ := run(t, s.config)
	warm := listen(t, target, "", "")
	warm.drain(t, 24)
	s.vote(t, "POST", target, 1, 1)
	warm.next(t, soon)

	debug.FreeOSMemory() // what earlier work left
	before, residentBefore := held(), resident(t)
	lines := gather(t, target)
	expect(t, lines, "all listen")

	extra, residentAfter := held()-before, resident(t)
	debug.FreeOSMemory()
	t.Logf("%d listeners: the heap, stacks and tables of Go grew by %.1f MiB, %.1f once the garbage is gone; resident memory by %.1f MiB",
		crowdSize, mib(extra), mib(held()-before), mib(residentAfter-residentBefore))
	if extra > crowdLimit {
		t.Errorf("%d listeners cost %.1f MiB, want at most %.1f", crowdSize, mib(extra), mib(crowdLimit))
	}
	for person := range int64(3) {
		start := time.Now()
		s.vote(t, "POST", target, person+10, 2)
		expect(t, lines, fmt.Sprintf(`all heard {"origami_id":2,"votes":%d}`, person+1))
		t.Logf("a vote was heard by all after %v", time.Since(start).Round(time.Millisecond))
	}
}

// gather starts the process of the listeners and returns what it says.
func gather(t *testing.T, target string) *bufio.Scanner {
	t.Helper()
	crowd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelperCrowd$")
	crowd.Env = append(os.Environ(), "CROWD_AT="+target)
	crowd.Stderr = os.Stderr
	out, err := crowd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := crowd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := crowd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = crowd.Wait() }) // it ends with its input
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
	t.Fatalf("the crowd ended before %q", want)
}

// TestHelperCrowd is no test but the process that listens, when it is told
// where.
func TestHelperCrowd(t *testing.T) {
	at := os.Getenv("CROWD_AT")
	if at == "" {
		return
	}
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, crowdSize)
	for range crowdSize {
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		go hear(c, heard)
	}
	go report(heard)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
}

// hear passes on that the last of 24 pieces came, and then each event.
func hear(c net.Conn, heard chan<- string) {
	_, _ = io.WriteString(c, "GET /api/votes/stream HTTP/1.1\r\nHost: crowd\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) a browser's length\r\nAccept: text/event-stream\r\n\r\n")
	lines := bufio.NewScanner(c)
	for seen := 0; lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if seen++; seen == 24 {
			heard <- "listen"
		} else if seen > 24 {
			heard <- "heard " + data
		}
	}
}

// report says what all passed on.
func report(heard <-chan string) {
	counts := map[string]int{}
	for what := range heard {
		if counts[what]++; counts[what] == crowdSize {
			_, _ = os.Stdout.WriteString("all " + what + "\n")
		}
	}
}

// TestSlowListenerIsDropped: one that takes nothing, while another goes on to
// hear each vote.
func TestSlowListenerIsDropped(t *testing.T) {
	t.Parallel()
	s := newSite(t, 100_000) // more than the buffers of a connection hold
	dropped := make(chan struct{})
	s.config.Log = slog.NewTextHandler(writer(func(line []byte) {
		if bytes.Contains(line, []byte(`msg="stream ended"`)) {
			close(dropped)
		}
	}), nil)
	target, _ := run(t, s.config)
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	slow, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = slow.Close() })
	if _, err := io.WriteString(slow, "GET /api/votes/stream HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	quick := listen(t, target, "?ids=7", "")
	quick.drain(t, 1)
	for person, slowIs := int64(1), true; slowIs; person++ {
		s.vote(t, "POST", target, person, 7)
		if got, want := quick.next(t, soon), (count{7, person}); got != want {
			t.Fatalf("the quick one got %v, want %v", got, want)
		}
		select {
		case <-dropped:
			slowIs = false
		default:
		}
	}
	rest, err := io.ReadAll(slow)
	if len(rest) == 0 || bytes.Contains(rest, []byte(`"origami_id":100000,`)) {
		t.Errorf("the slow one got %d bytes: %v", len(rest), err)
	}
}

// writer is an io.Writer that somebody else locks.
type writer func(line []byte)

func (w writer) Write(line []byte) (int, error) {
	w(line)
	return len(line), nil
}
