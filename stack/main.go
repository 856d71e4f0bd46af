// Command stack runs all of Craftista in one process: a private PostgreSQL, an
// in-memory Redis, the four services and a page of recent traces. It needs Go
// and nothing else.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"craftista/shared/config"
	"craftista/stack/internal/local"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "craftista:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unknown argument %q; settings come from the environment, see the README", args[0])
	}
	settings, err := config.Load(local.Default(), os.Environ())
	if err != nil {
		return err
	}
	return local.Run(ctx, settings, os.Stdout)
}
