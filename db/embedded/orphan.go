package embedded

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"
)

// stopOrphan stops a server that runs although the process that started it has ended, and waits until it has stopped.
// This process holds the folder's lock by now, so a server of this data has no other owner.
func stopOrphan(ctx context.Context, c cluster) error {
	pid, port := c.postmaster()
	password, err := os.ReadFile(c.file("password"))
	if pid == 0 || err != nil {
		return nil
	}
	c.password = string(password)
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for signalled, found := false, false; ; {
		up, err := c.answers(ctx, port)
		found = found || up || err == nil
		if !found {
			return nil // the file was left behind: the port is free, or another server's by now
		}
		if up && !signalled {
			if err := interrupt(pid); err != nil {
				return fmt.Errorf("the data in %s is in use by process %d: stop it first (%w)", c.dir, pid, err)
			}
			signalled = true
		}
		if now, _ := c.postmaster(); now != pid {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the data in %s is in use by process %d, which does not end: stop it first (%w)",
				c.dir, pid, context.Cause(ctx))
		}
	}
}

// answers reports whether a server of this data listens on the port: true when it does, false with no error while it
// starts or stops, and an error when no server or another one does.
func (c cluster) answers(ctx context.Context, port int) (bool, error) {
	var dir string
	err := ask(ctx, c.url(port), "SHOW data_directory", &dir)
	if pq.As(err, "57P03") != nil { // cannot_connect_now
		return false, nil //nolint:nilerr // it starts or stops
	}
	if err != nil {
		return false, err
	}
	if dir != c.file("data") {
		return false, fs.ErrNotExist
	}
	return true, nil
}

// postmaster reads who last served the data, from the first and the fourth line of a file whose format PostgreSQL's
// miscadmin.h fixes; 0 when it was shut down cleanly.
func (c cluster) postmaster() (pid, port int) {
	text, err := os.ReadFile(c.file("data/postmaster.pid"))
	if err != nil {
		return 0, 0
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 4 {
		return 0, 0
	}
	pid, pidErr := strconv.Atoi(lines[0])
	port, portErr := strconv.Atoi(lines[3])
	if pidErr != nil || portErr != nil || pid <= 1 {
		return 0, 0
	}
	return pid, port
}
