package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is the user that PostgreSQL runs as. The zero account is the user of this process.
type account struct {
	name     string
	uid, gid uint32
}

// findAccount picks the account: PostgreSQL refuses to run as root.
func findAccount() (account, error) {
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
			return account{name, uint32(uid), uint32(gid)}, nil
		}
	}
	return account{}, errors.New("PostgreSQL does not run as root and there is no user postgres or nobody: " +
		"run this as another user")
}

// enter opens the folder to the account, since a strict umask closed it, and refuses one below a closed folder.
func (a account) enter(ctx context.Context, dir string) error {
	if a.name == "" {
		return nil
	}
	info, err := os.Stat(dir)
	if err == nil {
		err = os.Chmod(dir, info.Mode()|0o001)
	}
	if err != nil {
		return unwritable(dir, err)
	}
	if err := a.command(ctx, "test", "-x", dir).Run(); err != nil {
		return fmt.Errorf("PostgreSQL does not run as root, and %s is closed to the user %s it runs as instead: "+
			"choose a data folder elsewhere, such as /var/cache/craftista (%w)", dir, a.name, err)
	}
	return nil
}

// command is exec.CommandContext as the account, in plain English.
func (a account) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // PostgreSQL's programs, found by choose, or test
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
