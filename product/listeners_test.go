package product_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"

	"craftista/product"
	"craftista/shared/config"
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
	s.sendVote(t, "POST", target, 1, 1)
	warm.next(t)

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
	for userID := range int64(3) {
		s.sendVote(t, "POST", target, 2, userID+10)
		want := fmt.Sprintf(`data: {"origami_id":2,"votes":%d}`, userID+1)
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

// TestFewDescriptors: a process that may open few files leaves some to pages, however many want to listen.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	const listeners = 600
	s := newSite(t, 24)
	const command = `ulimit -n 256; exec "$0" -test.run=^TestHelperService$`
	child := exec.CommandContext(t.Context(), "sh", "-c", command, os.Args[0])
	child.Env = append(os.Environ(), "SERVE=true", "DATABASE_URL="+s.config.DatabaseURL, "REDIS_URL="+s.config.RedisURL,
		"JWKS_URL="+s.config.JWKSURL, "ISSUER="+s.config.Issuer)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
	var address string
	if _, err := fmt.Fscan(out, &address); err != nil {
		t.Fatal(err)
	}
	statuses := make(chan int, listeners)
	for range listeners {
		go func() { statuses <- tryToListen(t, address) }()
	}
	got := map[int]int{}
	for range listeners {
		got[<-statuses]++
	}
	if got[200] < 50 || got[200] > 128 || got[200]+got[503] != listeners {
		t.Fatalf("listeners by status: %v", got)
	}
	for userID := range int64(60) {
		s.sendVote(t, "POST", "http://"+address, 1, userID+1)
		if status, _, body := request(t, "GET", "http://"+address+"/api/products", ""); status != 200 {
			t.Errorf("a page got %d %s", status, body)
		}
	}
}

// tryToListen returns the status of a stream, which stays open if it is 200 until the test ends, 0 if there is none.
func tryToListen(t *testing.T, address string) int {
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return 0
	}
	t.Cleanup(func() { _ = c.Close() })
	_, _ = io.WriteString(c, "GET /api/votes/stream HTTP/1.1\r\nHost: x\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	if res.StatusCode != http.StatusOK { // the service closes the connection, the test does not
		_, _ = io.Copy(io.Discard, res.Body)
	}
	return res.StatusCode
}

// TestHelperService is no test but a service, if SERVE says so. It prints its address.
func TestHelperService(t *testing.T) {
	if os.Getenv("SERVE") == "" {
		return
	}
	c, err := config.Load(product.Default(), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	c.Log = slog.DiscardHandler
	if c.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	_, _ = fmt.Fprintln(os.Stdout, c.Listener.Addr())
	if err := product.Run(t.Context(), c); err != nil {
		t.Fatal(err)
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
	for userID, slowStays := int64(1), true; slowStays; userID++ {
		s.sendVote(t, "POST", target, 7, userID)
		if got, want := quick.next(t), (count{7, userID}); got != want {
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
