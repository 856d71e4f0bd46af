package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"craftista/auth/internal/keys"
	"craftista/auth/internal/postgres"
	"craftista/shared/config"
	"craftista/shared/pg"
	"craftista/shared/service"
	"craftista/shared/telemetry"
)

const usage = `usage:
  auth                  serve; settings come from the environment
  auth healthcheck URL  ask a running service whether it is healthy
  auth keys rotate      add a signing key, and remove those no token needs
  auth keys list        show the signing keys
  auth clients add      register an OAuth client; -help lists its flags
  auth clients list     show all OAuth clients
  auth clients show|disable|enable|delete|rotate-secret ID
                        whatever is disabled or deleted is refused, and its sign-ins end
`

const commandTimeout = 10 * time.Second // with the database

// Main is the program: it does what args, the command line without the program's
// name, ask for and returns the exit code: 0 if all went well, 1 after one
// message on stderr, 2 if args make no sense.
func Main(args, environ []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "clients" {
		if do := parseClients(args[1:], stderr); do != nil {
			return command(environ, stderr, ClientConfig{}, func(c ClientConfig) error {
				return withStore(c.DatabaseURL, func(ctx context.Context, s *postgres.Store) error { return do(ctx, s, stdout) })
			})
		}
	}
	work := map[string]func(context.Context, KeyConfig, *keys.Set, io.Writer) error{
		"keys rotate": rotateKeys, "keys list": listKeys,
	}
	if do := work[strings.Join(args, " ")]; do != nil {
		return command(environ, stderr, defaultKeys(), func(c KeyConfig) error {
			if err := check(c.rules()); err != nil {
				return err
			}
			return c.work(do, stdout)
		})
	}
	if len(args) == 0 || len(args) == 2 && args[0] == "healthcheck" {
		return service.Main("auth", service.Process{Args: args, Environ: environ, Stderr: stderr}, Default(), Run)
	}
	_, _ = io.WriteString(stderr, usage)
	return 2
}

// command loads the settings, and then does the work.
func command[C any](environ []string, stderr io.Writer, settings C, do func(C) error) int {
	c, err := config.Load(settings, environ)
	if err == nil {
		err = do(c)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "auth: %v\n", err)
		return 1
	}
	return 0
}

// withStore opens the database for one command.
func withStore(url string, do func(context.Context, *postgres.Store) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	db, err := pg.Open(url, telemetry.Discard())
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, postgres.NewStore(db)), db.Close())
}
