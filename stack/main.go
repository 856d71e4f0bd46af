// Command stack runs all of Craftista in one process: a private PostgreSQL, an
// in-memory Redis, the four services and a page of recent traces. It needs Go
// and nothing else.
//
// With -fill products=1000000,votes=10000000 it fills its database with generated
// products and votes up to these amounts instead, and ends. With -beside and a command it
// runs only PostgreSQL and Redis, for that command and for as long as it runs.
package main

import (
	"context"
	"errors"
	"flag"
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
	flags := flag.NewFlagSet("stack", flag.ExitOnError)
	fill := flags.String("fill", "", "fill the database up to amounts such as products=1000000,votes=10000000, and end")
	beside := flags.Bool("beside", false, "run PostgreSQL and Redis for the command that follows, such as another stack")
	_ = flags.Parse(args) // which ends the program for a flag that it does not know
	if *beside && flags.NArg() == 0 {
		return errors.New("-beside needs a command")
	}
	if flags.NArg() > 0 && !*beside {
		return fmt.Errorf("unknown argument %q; settings come from the environment, see the README", flags.Arg(0))
	}
	settings, err := config.Load(local.Default(), os.Environ())
	if err != nil {
		return err
	}
	if *beside {
		return local.RunBeside(ctx, settings, os.Stdout, flags.Args())
	}
	if *fill == "" {
		return local.Run(ctx, settings, os.Stdout)
	}
	target, err := local.ParseFill(*fill)
	if err != nil {
		return err
	}
	return local.Fill(ctx, settings, target, os.Stdout)
}
