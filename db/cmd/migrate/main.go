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
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/lib/pq"

	"craftista/db"
)

const usage = `usage: migrate up|status|seed

  up      create what is missing of roles, schemas and tables
  status  list the migrations
  seed    add the origami, demo accounts and made-up voters, once

environment:
  DATABASE_URL                 the database, as its administrator
  AUTH_DB_PASSWORD             the passwords to give the roles of the services (up only)
  PRODUCT_DB_PASSWORD
  RECOMMENDATION_DB_PASSWORD
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit code: 2 for wrong arguments, 1 for anything else that keeps it from its job.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	commands := map[string]func(context.Context, settings, io.Writer) error{"up": up, "status": status, "seed": seed}
	if len(args) != 1 || commands[args[0]] == nil {
		fmt.Fprint(stderr, usage)
		return 2
	}
	s, err := read(getenv, args[0] == "up")
	if err == nil {
		err = await(ctx, s.url, slog.New(slog.NewTextHandler(stderr, nil)))
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

type settings struct {
	url       string
	passwords db.Passwords
}

// read names everything that is missing at once.
func read(getenv func(string) string, passwords bool) (settings, error) {
	var missing []string
	require := func(name string) string {
		value := getenv(name)
		if value == "" {
			missing = append(missing, name)
		}
		return value
	}
	s := settings{url: require("DATABASE_URL")}
	if passwords {
		s.passwords.Auth = require("AUTH_DB_PASSWORD")
		s.passwords.Product = require("PRODUCT_DB_PASSWORD")
		s.passwords.Recommendation = require("RECOMMENDATION_DB_PASSWORD")
	}
	if len(missing) > 0 {
		return settings{}, fmt.Errorf("set %s", strings.Join(missing, ", "))
	}
	return s, nil
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
	for told := false; ; told = true {
		err := pool.PingContext(ctx)
		refusal, up := errors.AsType[*pq.Error](err)
		if err == nil {
			return nil
		}
		if up && refusal.Code != "57P03" { // cannot_connect_now: it is starting
			return fmt.Errorf("connect to the database: %w", err)
		}
		if !told {
			log.InfoContext(ctx, "waiting for the database", slog.Any("error", err))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the database did not come up: %w", err)
		}
	}
}

func up(ctx context.Context, s settings, _ io.Writer) error {
	return db.Up(ctx, s.url, s.passwords)
}

func seed(ctx context.Context, s settings, _ io.Writer) error {
	return db.Seed(ctx, s.url)
}

func status(ctx context.Context, s settings, stdout io.Writer) error {
	all, err := db.Status(ctx, s.url)
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
