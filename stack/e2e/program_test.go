package e2e

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"craftista/auth"
)

// freePorts are settings with which a stack takes no fixed port.
func freePorts(t *testing.T) []string {
	t.Helper()
	return []string{
		"STACK_DATA=" + openFolder(t), "FRONTEND_ADDR=localhost:0", "AUTH_ADDR=localhost:0", "PRODUCT_ADDR=localhost:0",
		"RECOMMENDATION_ADDR=localhost:0", "TRACES_ADDR=localhost:0", "BCRYPT_COST=4",
	}
}

// TestVotesOutliveARestart starts the program on a folder of its own, votes,
// interrupts it and starts it again.
func TestVotesOutliveARestart(t *testing.T) {
	t.Parallel()
	binary, environ := build(t, "craftista/stack"), freePorts(t)
	start := func() (*process, string) {
		p := launch(t, binary, environ...)
		_, front, _ := strings.Cut(p.out.await(t, "is ready after ", "\n"), "Open ")
		return p, front
	}
	first, front := start()
	if strings.Contains(first.out.String(), "ERROR") {
		t.Errorf("the first start logs errors:\n%s", first.out)
	}
	client := signUp(t, front)
	if got := do(t, client, post(t, front+"/origamis/1/vote", url.Values{})); got.Status != 303 {
		t.Fatalf("the vote answers %d", got.Status)
	}
	file := first.out.await(t, "DATABASE_URL_FILE=", " ")
	var stdout, stderr strings.Builder
	code := auth.Main([]string{"clients", "list"}, []string{"DATABASE_URL_FILE=" + file}, &stdout, &stderr)
	if info, err := os.Stat(file); code != 0 || err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("clients of %q: code %d, %s, file %v, error %v", file, code, &stderr, info, err)
	}
	before := do(t, client, get(t, front+"/api/origamis/1/votes")).Body
	first.interrupt(t)

	second, front := start()
	if got := do(t, client, get(t, front+"/api/origamis/1/votes")).Body; got != before {
		t.Errorf("after the restart %s, before it %s", got, before)
	}
	if strings.Contains(second.out.String(), "database cluster") {
		t.Errorf("the second start made a new database:\n%s", second.out)
	}
	third := launch(t, binary, environ...)
	err := third.cmd.Wait()
	if third.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(third.out.String(), "in use by another process") {
		t.Errorf("a second stack on the same folder: %v\n%s", err, third.out)
	}
	second.interrupt(t)
}

// An interrupt during the start is no error.
func TestInterruptDuringTheStart(t *testing.T) {
	t.Parallel()
	p := launch(t, build(t, "craftista/stack"), freePorts(t)...)
	p.out.await(t, "preparing the database", "\n")
	p.interrupt(t)
	if strings.Contains(p.out.String(), "craftista:") {
		t.Errorf("it complains:\n%s", p.out)
	}
}

// openFolder is a folder that PostgreSQL's own user can enter when the tests run
// as root, which t.TempDir is not.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "craftista-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
