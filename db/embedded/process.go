package embedded

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	_ "github.com/lib/pq" // the driver "postgres"
)

// serve starts postgres on a free port and waits until it answers.
func (s *Server) serve(ctx context.Context, log *os.File) (err error) {
	if s.port, err = freePort(ctx); err != nil {
		return err
	}
	// Without ctx, whose end must not kill the server: Stop shuts it down.
	s.cmd = s.command(context.WithoutCancel(ctx), "postgres", s.arguments()...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr.Setpgid = true // the terminal's Ctrl-C is not for it
	dieWithParent(s.cmd.SysProcAttr, s.ephemeral)
	s.done = make(chan struct{})
	if err := s.run(); err != nil {
		return fmt.Errorf("start PostgreSQL %d: %w", s.binaries.major, err)
	}
	if err := s.ready(ctx); err != nil {
		s.end(context.WithoutCancel(ctx), syscall.SIGQUIT)
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("PostgreSQL %d did not start with the data in %s: %w; its log %s ends: %s",
			s.binaries.major, s.dir, err, log.Name(), lastLines(text))
	}
	return nil
}

func freePort(ctx context.Context) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func (s *Server) arguments() []string {
	settings := []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(s.port),
		"unix_socket_directories=", // none: a socket's path has a length limit that a data folder need not keep
		"max_connections=200",
		"shared_buffers=512MB", // taken as it is needed; what is read of a million products fits
		"timezone=UTC",
		"log_timezone=UTC",
		"logging_collector=off", // the log is our file
	}
	if s.ephemeral {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off",
			"max_connections=1000") // tests have a pool each, and a busy server takes its time to end a session
	}
	args := []string{"-D", s.file("data")}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

// run starts the child and returns. On Linux the child's death signal is tied to the thread that started it, hence
// that thread stays with the goroutine until the child has ended. The goroutine keeps the Server, and with it the lock,
// even if the caller forgets it.
func (s *Server) run() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			s.err = s.cmd.Wait()
			close(s.done)
		}
	}()
	return <-started
}

// ready returns once the server answers.
func (s *Server) ready(ctx context.Context) error {
	pool, err := sql.Open("postgres", s.URL())
	if err != nil {
		return err
	}
	defer pool.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := pool.PingContext(attempt)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.done:
			return fmt.Errorf("it ended early (%w)", s.err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// end sends the server SIGINT, for a "fast" shutdown, which ends sessions and flushes, or SIGQUIT, for an "immediate"
// one, which does not flush, and waits for it; when ctx ends first, it is killed.
func (s *Server) end(ctx context.Context, how syscall.Signal) {
	_ = s.cmd.Process.Signal(how) // fails if it has ended
	select {
	case <-s.done:
	case <-ctx.Done():
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}
