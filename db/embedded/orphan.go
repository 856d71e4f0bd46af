package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"
)

// stopOrphan ends a server that outlived the process that started it, and waits until it has. The folder's lock is
// ours by now, so whoever answers for this data has no owner.
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
			return nil // the file is a leftover: nobody is there, or a stranger who was given the port since
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

// answers tells whether a server for this data listens on the port: true when it does, false with no error while it
// starts or stops, and an error when nobody or somebody else is there.
func (c cluster) answers(ctx context.Context, port int) (bool, error) {
	var dir string
	err := ask(ctx, c.url(port), "SHOW data_directory", &dir)
	if e, ok := errors.AsType[*pq.Error](err); ok && e.Code == "57P03" { // cannot_connect_now
		return false, nil
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
