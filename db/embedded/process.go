package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"
)

// process is a postgres child.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the child has ended
	err  error         // how it ended; set before done is closed
	lock *os.File      // on the folder; here, where it lives as long as the child even if the caller forgets the Server
}

// serve starts postgres on the port and waits until it answers.
func (c cluster) serve(ctx context.Context, port int, lock *os.File) (*process, error) {
	log, err := os.Create(c.file("server.log"))
	if err != nil {
		return nil, unwritable(c.dir, err)
	}
	defer log.Close()
	// Not CommandContext: ending ctx must not kill the server, Stop shuts it down.
	cmd := c.as.command(context.WithoutCancel(ctx), c.binaries.path("postgres"), c.arguments(port)...)
	cmd.Dir = c.dir
	cmd.Stdout, cmd.Stderr = log, log
	detach(cmd, c.ephemeral)
	p := &process{cmd: cmd, done: make(chan struct{}), lock: lock}
	if err := p.run(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL %d: %w", c.binaries.major, err)
	}
	if err := p.ready(ctx, c.url(port)); err != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		text, _ := os.ReadFile(c.file("server.log"))
		return nil, errors.Join(fmt.Errorf("PostgreSQL %d did not start with the data in %s: %w; its log %s ends: %s",
			c.binaries.major, c.dir, err, c.file("server.log"), lastLines(text)), p.stop(stopping, true))
	}
	return p, nil
}

func (c cluster) arguments(port int) []string {
	settings := []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(port),
		"unix_socket_directories=", // none: a socket's path has a length limit that a data folder need not keep
		"max_connections=200",
		"shared_buffers=512MB", // taken as it is needed; what is read of a million products fits
		"timezone=UTC",
		"log_timezone=UTC",
		"logging_collector=off", // the log is our file
	}
	if c.ephemeral {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
	}
	args := []string{"-D", c.file("data")}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

// run starts the child and returns. On Linux the child's death signal is tied to the thread that started it, hence
// that thread stays with the goroutine until the child has ended.
func (p *process) run() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.done)
		}
	}()
	return <-started
}

// ready returns once the server at the URL answers a query.
func (p *process) ready(ctx context.Context, url string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ask(ctx, url, "SELECT 1", new(int)) == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("it ended early (%w)", p.err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// stop ends the server: by a clean shutdown, or at once if the data need not be kept or ctx ends.
func (p *process) stop(ctx context.Context, atOnce bool) error {
	if err := shutDown(p.cmd.Process, atOnce); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill PostgreSQL: %w", err)
	}
	<-p.done
	return nil
}

// ask runs one query on a connection of its own.
func ask(ctx context.Context, url, query string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	pool, err := sql.Open("postgres", url)
	if err != nil {
		return err
	}
	defer pool.Close()
	return pool.QueryRowContext(ctx, query).Scan(into)
}
