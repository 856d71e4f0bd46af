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
	settings, err := config.Load(local.Default(), os.Environ())
	if err == nil {
		err = local.Run(ctx, settings, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "craftista:", err)
		stop()
		os.Exit(1)
	}
}
