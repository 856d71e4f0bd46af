package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lib/pq"

	"craftista/db/embedded"
	"craftista/db/pgtest"
)

func TestDataSurvives(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *embedded.Server){
		"a clean stop": func(t *testing.T, s *embedded.Server) { stop(t, s) },
		"SIGKILL of the server": func(t *testing.T, s *embedded.Server) {
			if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			stop(t, s)
		},
		"the loss of its parent": func(t *testing.T, s *embedded.Server) {
			if err := s.Abandon(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t)
			first := start(t, embedded.Config{Dir: dir})
			execute(t, first.URL(), `CREATE TABLE kept AS SELECT 42 AS n`)
			end(t, first)
			second := start(t, embedded.Config{Dir: dir})
			defer stop(t, second)
			if got := number(t, second.URL(), `SELECT n FROM kept`); got != 42 {
				t.Errorf("got %d, want 42", got)
			}
		})
	}
}

// TestKilledParent runs this test again in a child process, kills the child, and finds its data and no server of it.
func TestKilledParent(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("EMBEDDED_TEST_PARENT"); dir != "" {
		s := start(t, embedded.Config{Dir: dir})
		os.Stdout.WriteString("\nurl " + s.URL() + "\n")
		select {}
	}
	dir := folder(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledParent$")
	cmd.Env = append(os.Environ(), "EMBEDDED_TEST_PARENT="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url := ""
	for lines := bufio.NewScanner(out); url == "" && lines.Scan(); {
		url, _ = strings.CutPrefix(lines.Text(), "url ")
		if !strings.HasPrefix(url, "postgres://") {
			url = ""
		}
	}
	execute(t, url, `CREATE TABLE kept AS SELECT 42 AS n`)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the child was not killed")
	}
	s := start(t, embedded.Config{Dir: dir})
	defer stop(t, s)
	if got := number(t, s.URL(), `SELECT n FROM kept`); got != 42 {
		t.Errorf("got %d, want 42", got)
	}
	if err := query(t, url, `SELECT 1`, new(int)); err == nil {
		t.Error("the server of the killed process still answers")
	}
}

func TestEphemeralLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	for range 2 {
		s := start(t, embedded.Config{Dir: dir, Ephemeral: true})
		execute(t, s.URL(), `CREATE TABLE forgotten (n int)`) // twice, since the second server starts empty
		stop(t, s)
		left, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(left, []string{filepath.Join(dir, "lock")}); diff != "" {
			t.Errorf("files left (-got +want):\n%s", diff)
		}
	}
}

func TestServerIsPrivate(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, embedded.Config{Dir: dir})
	defer stop(t, s)
	for setting, want := range map[string]string{
		"listen_addresses":        "127.0.0.1",
		"unix_socket_directories": "",
		"password_encryption":     "scram-sha-256",
		"server_encoding":         "UTF8",
		"fsync":                   "on",
		"synchronous_commit":      "on",
		"TimeZone":                "UTC",
	} {
		var got string
		if err := query(t, s.URL(), `SHOW `+setting, &got); err != nil || got != want {
			t.Errorf("got %s %q, %v; want %q", setting, got, err, want)
		}
	}
	var collation string
	const ofDatabase = `SELECT datcollate FROM pg_database WHERE datname = current_database()`
	if err := query(t, s.URL(), ofDatabase, &collation); err != nil || collation != "C" {
		t.Errorf("got collation %q, %v; want C", collation, err)
	}
	passwords, err := filepath.Glob(filepath.Join(dir, "postgres-*", "password"))
	if err != nil || len(passwords) != 1 {
		t.Fatalf("got password files %v, %v; want one", passwords, err)
	}
	info, err := os.Stat(passwords[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("got mode %o of the password, want 600", got)
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; owner == 0 {
		t.Error("the server runs as root")
	}
	wrong, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	wrong.User = url.UserPassword("postgres", "wrong")
	if err := query(t, wrong.String(), `SELECT 1`, new(int)); pq.As(err, "28P01") == nil { // invalid_password
		t.Errorf("got error %v for a wrong password, want a refusal", err)
	}
}

// folder is t.TempDir, opened to the user that PostgreSQL runs as under root.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

func start(t *testing.T, c embedded.Config) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stop(t *testing.T, s *embedded.Server) {
	t.Helper()
	if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// usedWithout runs a server in the folder and removes a file of it afterwards.
func usedWithout(name string) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		t.Helper()
		stop(t, start(t, embedded.Config{Dir: dir}))
		found, err := filepath.Glob(filepath.Join(dir, "postgres-*", name))
		if err != nil || len(found) != 1 {
			t.Fatalf("got %v, %v; want one %s", found, err, name)
		}
		if err := os.Remove(found[0]); err != nil {
			t.Fatal(err)
		}
		return dir
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, url, statement string) {
	t.Helper()
	if _, err := pgtest.Open(t, url).ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func number(t *testing.T, url, text string) (n int) {
	t.Helper()
	if err := query(t, url, text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func query(t *testing.T, url, text string, into any) error {
	t.Helper()
	return pgtest.Open(t, url).QueryRowContext(t.Context(), text).Scan(into)
}
