package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"craftista/shared/waittest"
)

// process is a service or a stack in a process of its own.
type process struct {
	cmd *exec.Cmd
	url string // where it listens, from its log
	out *output
}

// output collects what a process prints. It is safe for concurrent use.
type output struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await returns the text between after and the next character of until, once
// the process has printed them.
func (o *output) await(t *testing.T, after, until string) (text string) {
	t.Helper()
	waittest.Until(t, "the output has "+after, func() bool {
		_, rest, found := strings.Cut(o.String(), after)
		end := strings.IndexAny(rest, until)
		if found && end >= 0 {
			text = rest[:end]
		}
		return found && end >= 0
	})
	return text
}

func build(t *testing.T, pkg string, flags ...string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), filepath.Base(pkg))
	args := append([]string{"build", "-o", binary}, append(flags, pkg)...)
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return binary
}

// launch starts a program that is killed at the end of the test at the latest.
func launch(t *testing.T, binary string, environ ...string) *process {
	t.Helper()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), binary)
	command.Env = append(os.Environ(), environ...)
	return launchCommand(t, command)
}

// launchCommand is launch for a program with arguments.
func launchCommand(t *testing.T, command *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: command, out: &output{}}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
		if t.Failed() {
			t.Logf("%s printed\n%.4000s", filepath.Base(command.Path), p.out)
		}
	})
	return p
}

// run launches a service and waits until it listens.
func run(t *testing.T, binary string, environ ...string) *process {
	t.Helper()
	p := launch(t, binary, environ...)
	p.url = "http://" + p.out.await(t, `"addr":"`, `"`)
	return p
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (p *process) kill(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGKILL)
	_ = p.cmd.Wait() // its error says that it was killed
}

// interrupt stops the process as Ctrl-C does.
func (p *process) interrupt(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGINT)
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("interrupted: %v\n%s", err, p.out)
	}
}
