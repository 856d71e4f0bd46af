// Command migrate prepares Craftista's database: `migrate up` creates roles and schemas, `migrate seed` fills it with
// demo data, `migrate status` lists what is applied. All are safe to repeat, and to run from many replicas at once.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/lib/pq"

	"craftista/db"
	"craftista/shared/config"
)

const usage = `usage: migrate up|status|seed

  up      create what is missing of roles, schemas and tables
  status  list the migrations
  seed    add the origami, demo accounts and made-up voters, once

environment, each also as KEY_FILE, which names a file that holds it:
  DATABASE_URL                 the database, as its administrator
  AUTH_DB_PASSWORD             the passwords to give the roles of the services (up only)
  PRODUCT_DB_PASSWORD
  RECOMMENDATION_DB_PASSWORD
  SEED                         false makes seed add nothing
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Settings are what every command needs. (config.Load sees exported embedded structs only.)
type Settings struct {
	URL  string `env:"DATABASE_URL,required,notEmpty"`
	Seed bool   `env:"SEED"`
}

// upSettings are what up needs besides.
type upSettings struct {
	Settings
	Auth           string `env:"AUTH_DB_PASSWORD,required,notEmpty"`
	Product        string `env:"PRODUCT_DB_PASSWORD,required,notEmpty"`
	Recommendation string `env:"RECOMMENDATION_DB_PASSWORD,required,notEmpty"`
}

// run returns the exit code: 2 for wrong arguments, 1 for anything else that keeps it from its job.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	commands := map[string]func(context.Context, upSettings, io.Writer) error{"up": up, "status": status, "seed": seed}
	if len(args) != 1 || commands[args[0]] == nil {
		fmt.Fprint(stderr, usage)
		return 2
	}
	s, err := read(args[0], environ)
	if err == nil {
		err = await(ctx, s.URL, slog.New(slog.NewTextHandler(stderr, nil)))
	}
	if err == nil {
		err = commands[args[0]](ctx, s, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "migrate %s: %v\n", args[0], err)
		return 1
	}
	return 0
}

func read(command string, environ []string) (upSettings, error) {
	defaults := Settings{Seed: true}
	if command == "up" {
		return config.Load(upSettings{Settings: defaults}, environ)
	}
	s, err := config.Load(defaults, environ)
	return upSettings{Settings: s}, err
}

// await waits up to a minute for a database that is not up yet, since containers start in any order. A database that
// answers with a refusal, such as a wrong password, is up.
func await(ctx context.Context, url string, log *slog.Logger) error {
	connector, err := pq.NewConnector(url)
	if err != nil {
		return errors.New("DATABASE_URL is not a PostgreSQL URL")
	}
	pool := sql.OpenDB(connector)
	defer pool.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for logged := false; ; logged = true {
		err := pool.PingContext(ctx)
		if err == nil {
			return nil
		}
		if pq.As(err) != nil && pq.As(err, "57P03") == nil { // cannot_connect_now: it is starting
			return fmt.Errorf("connect to the database: %w", err)
		}
		if !logged {
			log.InfoContext(ctx, "waiting for the database", slog.Any("error", err))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the database did not come up: %w", err)
		}
	}
}

func up(ctx context.Context, s upSettings, _ io.Writer) error {
	return db.Up(ctx, s.URL, db.Passwords{Auth: s.Auth, Product: s.Product, Recommendation: s.Recommendation})
}

func seed(ctx context.Context, s upSettings, _ io.Writer) error {
	if !s.Seed {
		return nil
	}
	return db.Seed(ctx, s.URL)
}

func status(ctx context.Context, s upSettings, stdout io.Writer) error {
	all, err := db.Status(ctx, s.URL)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, m := range all {
		applied := "pending"
		if !m.AppliedAt.IsZero() {
			applied = m.AppliedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", m.Schema, m.Name, applied)
	}
	return table.Flush()
}
