package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const superuser = "postgres"

// cluster is a data folder and what runs it:
//
//	<dir>/data        what initdb made
//	<dir>/password    the superuser's
//	<dir>/server.log  of the latest start
type cluster struct {
	dir       string
	binaries  binaries
	as        account
	password  string
	ephemeral bool
}

// openCluster opens the cluster of that version, and makes it first if there is none.
func openCluster(ctx context.Context, c Config, b binaries, as account) (cluster, error) {
	opened := cluster{
		dir:       filepath.Join(c.Dir, fmt.Sprint("postgres-", b.major)),
		binaries:  b,
		as:        as,
		ephemeral: c.Ephemeral,
	}
	if err := stopOrphan(ctx, opened); err != nil {
		return cluster{}, err
	}
	if c.Ephemeral {
		if err := os.RemoveAll(opened.dir); err != nil {
			return cluster{}, fmt.Errorf("clear the data folder: %w", err)
		}
	}
	switch password, err := os.ReadFile(opened.file("password")); {
	case err == nil && exists(opened.file("data")):
		opened.password = string(password)
		return opened, nil
	case err == nil || errors.Is(err, fs.ErrNotExist) && !exists(opened.file("data")):
		if !c.Ephemeral {
			c.Progress(fmt.Sprintf("creating a PostgreSQL %d database in %s", b.major, opened.dir))
		}
		opened.password = rand.Text()
		return opened, opened.initialize(ctx)
	default:
		return cluster{}, fmt.Errorf("the data in %s cannot be used without the file password beside it: "+
			"restore that file, or move the folder away to start empty (%w)", opened.dir, cause(err))
	}
}

// initialize runs initdb beside the final place and renames last, so that an interrupted one is never taken for data.
// The locale is C since every machine has it and sorts by it alike; a disk can move between machines.
func (c cluster) initialize(ctx context.Context) error {
	fresh := c.file("data.new")
	err := errors.Join(
		os.MkdirAll(c.dir, 0o700),
		os.RemoveAll(fresh),
		os.WriteFile(c.file("password"), []byte(c.password), 0o600),
		c.as.own(c.dir),
		c.as.own(c.file("password")))
	if err != nil {
		return unwritable(c.dir, err)
	}
	args := []string{
		"--pgdata", fresh, "--username", superuser, "--pwfile", c.file("password"),
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C",
	}
	if c.ephemeral {
		args = append(args, "--no-sync")
	}
	cmd := c.as.command(ctx, c.binaries.path("initdb"), args...)
	cmd.Dir = c.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb of PostgreSQL %d in %s ended with %w: %s",
			c.binaries.major, c.dir, err, lastLines(out))
	}
	if err := os.Rename(fresh, c.file("data")); err != nil {
		return fmt.Errorf("put the new data in place: %w", err)
	}
	return nil
}

func (c cluster) file(name string) string {
	return filepath.Join(c.dir, name)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lastLines is the end of a log, in one line.
func lastLines(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}
