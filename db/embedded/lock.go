package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// openLock creates the folder and opens its lock file, without locking it.
func openLock(dir string) (*os.File, error) {
	//nolint:gosec // PostgreSQL's user has to enter it; the data in it is closed to others
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, unwritable(dir, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unwritable(dir, err)
	}
	return file, nil
}

// tryLock locks the file, unless another process has; the lock ends when all who share the open file have closed it.
func tryLock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// awaitLock waits until no other process has locked the file, and locks it.
func awaitLock(ctx context.Context, file *os.File) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for tryLock(file) != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// release unlocks by itself, since a child being started right now may still share the file.
func release(lock *os.File) error {
	return errors.Join(syscall.Flock(int(lock.Fd()), syscall.LOCK_UN), lock.Close())
}

func unwritable(dir string, err error) error {
	return fmt.Errorf("the data folder %s cannot be written: choose another folder or change its owner (%w)", dir, err)
}
