// Package embedded runs a private PostgreSQL: for a laptop that has no database, and for tests.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// ErrInUse is what Start returns, wrapped, when another process runs a server in the same folder.
var ErrInUse = errors.New("is in use by another process")

// Config says where the data lives. The zero value is durable and lives in DefaultDir.
type Config struct {
	// Dir holds the data and the log, in a folder per major version. Empty is DefaultDir.
	Dir string
	// Binaries holds downloaded versions; any number of servers may share it. Empty is "binaries" in Dir.
	Binaries string
	// Progress is told, in a few words, of steps that take a while. It may be nil.
	Progress func(string)
	// Ephemeral is for tests: the server starts empty, does not wait for the disk, and Stop removes the data.
	Ephemeral bool
	// Download ignores the PostgreSQL versions installed on this machine.
	Download bool
	// Repository is the Maven repository to download from, such as a company's mirror. Empty is the central one.
	Repository string
}

// Server is one running PostgreSQL.
type Server struct {
	cluster cluster
	process *process
	port    int
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
// installed on the machine, unless the folder holds data of another version that is still there, and downloads one if
// there is none. The data survives restarts, crashes and SIGKILL unless the server is ephemeral.
//
// As root the server runs as the user postgres, or nobody. On Linux it ends with this process, however this process
// ends; elsewhere the next Start on the folder ends it. Every error is a sentence for the person who started it;
// [ErrInUse] tells a folder that is taken.
func Start(ctx context.Context, c Config) (*Server, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	lock, err := lockFolder(c.Dir)
	if err != nil {
		return nil, err
	}
	s := new(Server)
	if err := s.start(ctx, c, lock); err != nil {
		return nil, errors.Join(err, release(lock))
	}
	return s, nil
}

// URL is the database as its superuser sees it. It holds the password.
func (s *Server) URL() string {
	return s.cluster.url(s.port)
}

// Stop ends all sessions, flushes the data and waits for the server to end; when ctx ends first, the server is killed,
// which loses nothing that was committed.
func (s *Server) Stop(ctx context.Context) error {
	err := s.process.stop(ctx, s.cluster.ephemeral)
	if s.cluster.ephemeral {
		err = errors.Join(err, os.RemoveAll(s.cluster.dir))
	}
	return errors.Join(err, release(s.process.lock))
}

func (c Config) withDefaults() (Config, error) {
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	var err error
	if c.Dir == "" {
		c.Dir, err = DefaultDir()
	} else {
		c.Dir, err = filepath.Abs(c.Dir)
	}
	if c.Binaries == "" {
		c.Binaries = filepath.Join(c.Dir, "binaries")
	}
	return c, err
}

// lockFolder creates the folder and locks it for this process; the lock ends with the file.
func lockFolder(dir string) (*os.File, error) {
	//nolint:gosec // PostgreSQL's user has to enter it; the data in it is closed to others
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, unwritable(dir, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unwritable(dir, err)
	}
	if err := lockFile(file); err != nil {
		err := fmt.Errorf("the data folder %s %w: stop that one or choose another folder", dir, ErrInUse)
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// release unlocks by itself, since a child being started right now may still share the file.
func release(lock *os.File) error {
	return errors.Join(unlockFile(lock), lock.Close())
}

func unwritable(dir string, err error) error {
	return fmt.Errorf("the data folder %s cannot be written: choose another folder or change its owner (%w)",
		dir, cause(err))
}

// cause strips the operation and path, which the sentence around it names already.
func cause(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

func (s *Server) start(ctx context.Context, c Config, lock *os.File) error {
	as, err := findAccount(c.Dir)
	if err != nil {
		return err
	}
	binaries, err := choose(ctx, c, as)
	if err != nil {
		return err
	}
	if s.cluster, err = openCluster(ctx, c, binaries, as); err != nil {
		return err
	}
	// Three tries, because another process may take the free port first, and the sessions of a server that was killed
	// need a moment to end and release its memory.
	pause := time.NewTicker(200 * time.Millisecond)
	defer pause.Stop()
	for tries := 3; ; tries-- {
		if s.port, err = freePort(ctx); err != nil {
			return err
		}
		if s.process, err = s.cluster.serve(ctx, s.port, lock); err == nil || tries == 1 || ctx.Err() != nil {
			return err
		}
		<-pause.C
	}
}

func freePort(ctx context.Context) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func (c cluster) url(port int) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, c.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path:     "/postgres",
		RawQuery: "sslmode=disable",
	}
	return u.String()
}
