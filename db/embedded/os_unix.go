//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that PostgreSQL runs as. The zero account is the user of this process.
type account struct {
	name     string
	uid, gid uint32
}

// findAccount picks the account: PostgreSQL refuses to run as root. It checks that the account can reach the folder.
func findAccount(dir string) (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			a := account{name, uint32(uid), uint32(gid)}
			return a, a.reach(dir)
		}
	}
	return account{}, errors.New("PostgreSQL does not run as root and there is no user postgres or nobody: " +
		"run this as another user")
}

func (a account) reach(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		// This process made it, and under a strict umask it is closed to others.
		if err := os.Chmod(dir, info.Mode()|0o001); err != nil {
			return fmt.Errorf("open the data folder to the user %s: %w", a.name, err)
		}
	}
	for parent := dir; ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return fmt.Errorf("inspect the data folder: %w", err)
		}
		if info.Mode()&0o001 == 0 && info.Sys().(*syscall.Stat_t).Uid != a.uid {
			return fmt.Errorf("PostgreSQL does not run as root, and %s is closed to the user %s it runs as instead: "+
				"choose a data folder elsewhere, such as /var/cache/craftista", parent, a.name)
		}
		if parent == filepath.Dir(parent) {
			return nil
		}
	}
}

// command is exec.CommandContext as the account, in plain English.
func (a account) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // initdb and postgres, found by choose
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = new(syscall.SysProcAttr)
	if a.name != "" {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return cmd
}

// own gives a file to the account.
func (a account) own(path string) error {
	if a.name == "" {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// detach keeps the terminal's Ctrl-C from the child: whoever started it decides when it stops.
func detach(cmd *exec.Cmd, ephemeral bool) {
	cmd.SysProcAttr.Setpgid = true
	dieWithParent(cmd.SysProcAttr, ephemeral)
}

// shutDown asks for a "fast" shutdown, which ends sessions and flushes, or an "immediate" one, which does not flush.
func shutDown(p *os.Process, atOnce bool) error {
	if atOnce {
		return p.Signal(syscall.SIGQUIT)
	}
	return p.Signal(syscall.SIGINT)
}

func interrupt(pid int) error {
	return syscall.Kill(pid, syscall.SIGINT)
}

func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

func unlockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
}
