package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const superuser = "postgres"

// openLog opens the log for the next start, in the folder of this version, which it makes. A server has its log locked
// until the last of its sessions has ended. One that still has it has lost the process that started it, since this one
// has the lock on the folder: it is stopped.
func (s *Server) openLog(ctx context.Context) (*os.File, error) {
	if err := errors.Join(os.MkdirAll(s.dir, 0o700), s.as.own(s.dir)); err != nil {
		return nil, unwritable(s.dir, err)
	}
	log, err := os.OpenFile(s.file("server.log"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unwritable(s.dir, err)
	}
	if tryLock(log) != nil {
		ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		// Its error does not count: the server may be ending by itself.
		_ = s.command(ctx, "pg_ctl", "stop", "--pgdata", s.file("data"), "--mode", "fast").Run()
		if err := awaitLock(ctx, log); err != nil {
			err = fmt.Errorf("the data in %s is in use by a server that does not end: stop it first (%w)", s.dir, err)
			return nil, errors.Join(err, log.Close())
		}
	}
	if err := log.Truncate(0); err != nil {
		return nil, errors.Join(unwritable(s.dir, err), log.Close())
	}
	return log, nil
}

// openData makes the data if there is none, and reads the password.
func (s *Server) openData(ctx context.Context, progress func(string)) error {
	if s.ephemeral {
		if err := os.RemoveAll(s.file("data")); err != nil {
			return fmt.Errorf("clear the data folder: %w", err)
		}
	}
	if _, err := os.Stat(s.file("data")); err != nil {
		if !s.ephemeral {
			progress(fmt.Sprintf("creating a PostgreSQL %d database in %s", s.binaries.major, s.dir))
		}
		if err := s.initialize(ctx); err != nil {
			return err
		}
	}
	password, err := os.ReadFile(s.file("password"))
	if err != nil {
		return fmt.Errorf("the data in %s cannot be used without the file password beside it: "+
			"restore that file, or move the folder away to start empty (%w)", s.dir, err)
	}
	s.password = string(password)
	return nil
}

// initialize runs initdb beside the final place and renames last, so that an interrupted one is never taken for data.
// The locale is C since every machine has it and sorts by it alike; a disk can move between machines.
func (s *Server) initialize(ctx context.Context) error {
	fresh := s.file("data.new")
	err := errors.Join(
		os.RemoveAll(fresh),
		os.WriteFile(s.file("password"), []byte(rand.Text()), 0o600),
		s.as.own(s.file("password")))
	if err != nil {
		return unwritable(s.dir, err)
	}
	args := []string{
		"--pgdata", fresh, "--username", superuser, "--pwfile", s.file("password"),
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C",
	}
	if s.ephemeral {
		args = append(args, "--no-sync")
	}
	if out, err := s.command(ctx, "initdb", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("initdb of PostgreSQL %d in %s ended with %w: %s", s.binaries.major, s.dir, err, lastLines(out))
	}
	if err := os.Rename(fresh, s.file("data")); err != nil {
		return fmt.Errorf("put the new data in place: %w", err)
	}
	return nil
}

// command is one of PostgreSQL's programs, run as the account in the folder.
func (s *Server) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := s.as.command(ctx, s.binaries.path(program), args...)
	cmd.Dir = s.dir
	return cmd
}

func (s *Server) file(name string) string {
	return filepath.Join(s.dir, name)
}

// lastLines is the end of a log, in one line.
func lastLines(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}
