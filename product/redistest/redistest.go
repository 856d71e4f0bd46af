// Package redistest runs a real redis-server for a test.
package redistest

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Server is a redis-server on loopback that keeps nothing on disk unless told to
// (Do "SAVE"). It ends with the test.
type Server struct {
	Addr string // host:port, the same after a restart

	tb  testing.TB
	dir string
	cmd *exec.Cmd
}

// Start starts a server on a free port. A machine without redis-server fails
// the test: what it holds must not go unproven.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{tb: tb, dir: tb.TempDir()}
	for range 10 { // somebody else may take a port before the start
		s.Addr = FreeAddr(tb)
		if s.start() {
			tb.Cleanup(s.Kill)
			return s
		}
	}
	tb.Fatal("redis-server starts on none of 10 free ports")
	return nil
}

// URL is the server's URL.
func (s *Server) URL() string { return "redis://" + s.Addr + "/0" }

// Kill ends the server as a crash would. Killing it twice is fine.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // "signal: killed"
	s.cmd = nil
}

// Pause keeps the server from doing anything, as a stalled machine would. Its
// kernel still accepts connections and data.
func (s *Server) Pause() { _ = s.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume ends a Pause: it goes on with what it was sent meanwhile.
func (s *Server) Resume() { _ = s.cmd.Process.Signal(syscall.SIGCONT) }

// Do sends one command, words with spaces between.
func (s *Server) Do(command string) {
	s.tb.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Addr})
	defer func() { _ = c.Close() }()
	var words []any
	for word := range strings.FieldsSeq(command) {
		words = append(words, word)
	}
	if err := c.Do(context.WithoutCancel(s.tb.Context()), words...).Err(); err != nil {
		s.tb.Fatal(err)
	}
}

// Restart starts the killed server again at the same address, with what it last
// saved, which is nothing unless it was told to.
func (s *Server) Restart() {
	s.tb.Helper()
	if !s.start() {
		s.tb.Fatalf("redis-server does not start again on %s", s.Addr)
	}
}

// start returns once the server accepts connections, or false once it gave up.
func (s *Server) start() bool {
	host, port, _ := net.SplitHostPort(s.Addr)
	cmd := exec.Command("redis-server", "--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", s.dir)
	out, err := cmd.StdoutPipe()
	if err = cmp.Or(err, cmd.Start()); err != nil {
		s.tb.Fatalf("%v; Debian: apt-get install redis-server", err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
			s.cmd = cmd
			return true
		}
	}
	_ = cmd.Wait()
	return false
}

// FreeAddr is a loopback address that nobody listens on.
func FreeAddr(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
