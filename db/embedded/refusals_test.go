package embedded_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"craftista/db/embedded"
)

func TestFolderIsTaken(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, embedded.Config{Dir: dir})
	defer stop(t, s)
	_, err := embedded.Start(t.Context(), embedded.Config{Dir: dir})
	if !errors.Is(err, embedded.ErrInUse) {
		t.Fatalf("got error %v, want ErrInUse", err)
	}
	want := "the data folder " + dir + " is in use by another process: stop that one or choose another folder"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if got := number(t, s.URL(), `SELECT 1`); got != 1 {
		t.Errorf("got %d from the first server, want 1", got)
	}
}

// TestFolderStaysTaken forgets the server and collects the garbage: the lock must not be collected.
func TestFolderStaysTaken(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	pid := start(t, embedded.Config{Dir: dir, Ephemeral: true}).PID()
	t.Cleanup(func() {
		for syscall.Kill(pid, syscall.SIGKILL) == nil { // until it has ended
			runtime.Gosched()
		}
	})
	for range 3 {
		runtime.GC()
	}
	_, err := embedded.Start(t.Context(), embedded.Config{Dir: dir, Ephemeral: true})
	if !errors.Is(err, embedded.ErrInUse) {
		t.Errorf("got error %v, want ErrInUse", err)
	}
}

func TestStartSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(*testing.T, string) string // returns the folder to start in
		want    []string
	}{
		"a folder that cannot be made": {
			prepare: func(t *testing.T, dir string) string {
				write(t, filepath.Join(dir, "file"), "")
				return filepath.Join(dir, "file", "data")
			},
			want: []string{"cannot be written: choose another folder or change its owner", "not a directory"},
		},
		"data of a version that no machine has": {
			prepare: func(t *testing.T, dir string) string {
				write(t, filepath.Join(dir, "postgres-98", "data", "PG_VERSION"), "98")
				return dir
			},
			want: []string{"PostgreSQL 98", "neither installed nor offered for download", "choose another folder"},
		},
		"a missing password": {
			prepare: usedWithout("password"),
			want:    []string{"cannot be used without the file password beside it", "move the folder away"},
		},
		"damaged data, with the end of the log": {
			prepare: usedWithout("data/global/pg_control"),
			want:    []string{"did not start with the data in", "server.log ends:", "pg_control"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := test.prepare(t, folder(t))
			s, err := embedded.Start(t.Context(), embedded.Config{Dir: dir})
			if err == nil {
				stop(t, s)
				t.Fatal("got no error")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %q, want it to contain %q", err, part)
				}
			}
		})
	}
}

// TestClosedParent holds only for root, whose servers run as somebody else; other users' servers run as themselves.
func TestClosedParent(t *testing.T) {
	t.Parallel()
	parent := filepath.Join(folder(t), "closed")
	if err := os.Mkdir(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "data")
	s, err := embedded.Start(t.Context(), embedded.Config{Dir: dir})
	if err == nil {
		stop(t, s)
	}
	root := os.Geteuid() == 0
	if root != (err != nil) || root && !strings.Contains(err.Error(), dir+" is closed to the user") {
		t.Errorf("got error %v as root: %t", err, root)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := embedded.Start(ctx, embedded.Config{Dir: folder(t), Ephemeral: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context.Canceled", err)
	}
}
