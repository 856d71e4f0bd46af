package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// RunBeside runs the command with PostgreSQL and Redis, whose URLs are in its DATABASE_URL and REDIS_URL, and stops
// both when it has ended. Each stack that the command starts, again and again while somebody develops, starts without
// them. Once ctx is done the command is interrupted.
func RunBeside(ctx context.Context, c Config, out io.Writer, command []string) error {
	data, err := c.dataFolder()
	if err != nil {
		return err
	}
	db, err := c.openDatabase(ctx, data, func(step string) { _, _ = fmt.Fprintf(out, "… %s\n", step) })
	if err != nil {
		return err
	}
	s := &Stack{ended: make(chan error, 1)}
	s.startDatabase(ctx, db)
	redis, err := s.startCache(ctx, c)
	if err != nil {
		return errors.Join(err, s.Stop())
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // what the developer asks for
	cmd.Env = append(os.Environ(), "DATABASE_URL="+db.admin, "REDIS_URL="+redis)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, out, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	err = cmd.Run()
	if ctx.Err() != nil { // interrupted, as it was asked for
		err = nil
	}
	return errors.Join(err, s.Stop())
}
