package e2e

import (
	"net/url"
	"os"
	"strings"
	"testing"
)

// TestTheProgramKeepsWhatPeopleDid starts the real program on a folder of its
// own, votes, interrupts it, starts it again and looks.
func TestTheProgramKeepsWhatPeopleDid(t *testing.T) {
	t.Parallel()
	binary := build(t, "craftista/stack")
	environ := []string{
		"STACK_DATA=" + openFolder(t), "FRONTEND_ADDR=localhost:0", "AUTH_ADDR=localhost:0", "PRODUCT_ADDR=localhost:0",
		"RECOMMENDATION_ADDR=localhost:0", "TRACES_ADDR=localhost:0", "BCRYPT_COST=4",
	}
	first := launch(t, binary, environ...)
	front := first.out.await(t, "is ready after ", "\n")
	front = front[strings.Index(front, "http"):]
	client := browse(t, front)
	if got := do(t, client, post(t, front+"/origamis/1/vote", url.Values{})); got.Status != 303 {
		t.Fatalf("the vote answers %d", got.Status)
	}
	before := do(t, client, get(t, front+"/api/origamis/1/votes")).Body
	interrupt(t, first)

	second := launch(t, binary, environ...)
	front = second.out.await(t, "is ready after ", "\n")
	front = front[strings.Index(front, "http"):]
	if got := do(t, client, get(t, front+"/api/origamis/1/votes")).Body; got != before {
		t.Errorf("after the restart %s, before it %s", got, before)
	}
	if strings.Contains(second.out.String(), "database cluster") {
		t.Errorf("the second start made a new database:\n%s", second.out)
	}
	third := launch(t, binary, environ...)
	if err := third.cmd.Wait(); third.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(third.out.String(), "in use by another process") {
		t.Errorf("a second stack on the same folder: %v\n%s", err, third.out)
	}
	interrupt(t, second)
}

// TestInterruptDuringTheStart is no mistake to report.
func TestInterruptDuringTheStart(t *testing.T) {
	t.Parallel()
	p := launch(t, build(t, "craftista/stack"), "STACK_DATA="+openFolder(t), "FRONTEND_ADDR=localhost:0", "AUTH_ADDR=localhost:0",
		"PRODUCT_ADDR=localhost:0", "RECOMMENDATION_ADDR=localhost:0", "TRACES_ADDR=localhost:0")
	p.out.await(t, "preparing the database", "\n")
	interrupt(t, p)
	if strings.Contains(p.out.String(), "craftista:") {
		t.Errorf("it complains:\n%s", p.out)
	}
}

func interrupt(t *testing.T, p *process) {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("interrupted: %v\n%s", err, p.out)
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
