// Package embedded runs a private PostgreSQL: for a laptop that has no database, and for tests. It needs Linux, macOS
// or another Unix.
package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// ErrInUse is what Start returns, wrapped, when another process runs a server in the same folder.
var ErrInUse = errors.New("is in use by another process")

// Config says where the data lives. The zero value is durable and lives in DefaultDir.
type Config struct {
	// Dir holds the data and the log, in a folder per major version. Empty is DefaultDir.
	Dir string
	// Progress is told, in a few words, of steps that take a while. It may be nil.
	Progress func(string)
	// Ephemeral is for tests: the server starts empty, does not wait for the disk, and Stop removes the data.
	Ephemeral bool

	binaries   string // holds downloaded versions, which any number of servers share; "binaries" in DefaultDir
	repository string // for tests: the Maven repository to download from, whatever is installed
}

// Server is one running PostgreSQL. Its folder has
//
//	data        what initdb made
//	password    the superuser's
//	server.log  of the latest start, locked while the server runs
type Server struct {
	dir       string
	binaries  binaries
	as        account
	password  string
	ephemeral bool
	port      int
	lock      *os.File // on Config.Dir
	cmd       *exec.Cmd
	done      chan struct{} // closed when the child has ended
	err       error         // how it ended; set before done is closed
}

// DefaultDir is the folder used when Config names none: below the user's cache folder, or for root below /var/cache,
// since PostgreSQL then runs as a user who cannot enter root's home folder.
func DefaultDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/craftista", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	return filepath.Join(dir, "craftista"), nil
}

// Start runs a server on a free port of 127.0.0.1 and returns once it answers. It prefers the newest PostgreSQL
// installed on the machine, unless the folder holds data of another version that is still there, and downloads one to
// DefaultDir if there is none. The data survives restarts, crashes and SIGKILL unless the server is ephemeral.
//
// As root the server runs as the user postgres, or nobody. On Linux it ends with this process, however this process
// ends; elsewhere the next Start on the folder ends it. Every error is a sentence for the person who started it;
// [ErrInUse] tells a folder that is taken.
func Start(ctx context.Context, c Config) (*Server, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	lock, err := openLock(c.Dir)
	if err != nil {
		return nil, err
	}
	if err := tryLock(lock); err != nil {
		err := fmt.Errorf("the data folder %s %w: stop that one or choose another folder", c.Dir, ErrInUse)
		return nil, errors.Join(err, lock.Close())
	}
	s := &Server{lock: lock, ephemeral: c.Ephemeral}
	if err := s.start(ctx, c); err != nil {
		return nil, errors.Join(err, release(lock))
	}
	return s, nil
}

// URL is the database as its superuser sees it. It holds the password.
func (s *Server) URL() string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, s.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path:     "/postgres",
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Stop ends all sessions, flushes the data and waits for the server to end; when ctx ends first, the server is killed,
// which loses nothing that was committed.
func (s *Server) Stop(ctx context.Context) error {
	var err error
	if s.ephemeral {
		s.end(ctx, syscall.SIGQUIT)
		err = os.RemoveAll(s.dir)
	} else {
		s.end(ctx, syscall.SIGINT)
	}
	return errors.Join(err, release(s.lock))
}

func (c Config) withDefaults() (Config, error) {
	base, err := DefaultDir()
	if err != nil && c.Dir == "" {
		return c, err
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	c.Dir, err = filepath.Abs(cmp.Or(c.Dir, base))
	c.binaries = cmp.Or(c.binaries, filepath.Join(cmp.Or(base, c.Dir), "binaries"))
	return c, err
}

func (s *Server) start(ctx context.Context, c Config) (err error) {
	if s.as, err = findAccount(); err != nil {
		return err
	}
	if err := s.as.enter(ctx, c.Dir); err != nil {
		return err
	}
	if s.binaries, err = choose(ctx, c, s.as); err != nil {
		return err
	}
	s.dir = filepath.Join(c.Dir, fmt.Sprint("postgres-", s.binaries.major))
	log, err := s.openLog(ctx)
	if err != nil {
		return err
	}
	defer log.Close() // the server has its own, and with it the lock
	if err := s.openData(ctx, c.Progress); err != nil {
		return err
	}
	for tries := 3; ; tries-- { // another process may take the free port first
		if err := s.serve(ctx, log); err == nil || tries == 1 || ctx.Err() != nil {
			return err
		}
	}
}
