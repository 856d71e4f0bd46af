package embedded

import (
	"context"
	"errors"
	"os"
	"os/exec"
)

// account is the user of this process; PostgreSQL gives up an administrator's rights by itself here.
type account struct{}

func findAccount(string) (account, error) { return account{}, nil }

func (account) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, program, args...)
}

func (account) own(string) error { return nil }

func detach(*exec.Cmd, bool) {}

// shutDown is always immediate, as there are no signals; the write-ahead log keeps what was committed.
func shutDown(p *os.Process, _ bool) error { return p.Kill() }

func interrupt(int) error { return errors.New("it cannot be stopped from here") }

// lockFile leaves it to interrupt to refuse a second server.
func lockFile(*os.File) error { return nil }

func unlockFile(*os.File) error { return nil }
