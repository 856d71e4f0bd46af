package auth

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"craftista/auth/internal/keys"
	"craftista/shared/config"
	"craftista/shared/service"
)

const usage = `usage:
  auth                  serve; settings come from the environment
  auth healthcheck URL  ask a running service whether it is well
  auth keys rotate      add a signing key, and remove those no token needs
  auth keys list        show the signing keys
  auth clients add      register an OAuth client; -help tells its flags
`

// Main is the program: it does what args, the command line without the program's
// name, ask for and returns the exit code: 0 if all went well, 1 after one
// message on stderr, 2 if args make no sense.
func Main(args, environ []string, stdout, stderr io.Writer) int {
	switch {
	case len(args) == 0, len(args) == 2 && args[0] == "healthcheck":
		return service.Main("auth", args, environ, stderr, Default(), Run)
	case len(args) == 2 && args[0] == "keys" && args[1] == "rotate":
		return command(environ, stderr, defaultKeys(), func(c KeyConfig) error { return rotateKeys(c, stdout) })
	case len(args) == 2 && args[0] == "keys" && args[1] == "list":
		return command(environ, stderr, defaultKeys(), func(c KeyConfig) error { return listKeys(c, stdout) })
	case len(args) >= 2 && args[0] == "clients" && args[1] == "add":
		add, err := parseClient(args[2:], stderr)
		if err != nil {
			return 2
		}
		return command(environ, stderr, ClientConfig{}, func(c ClientConfig) error { return add.run(c, stdout) })
	default:
		_, _ = io.WriteString(stderr, usage)
		return 2
	}
}

func command[C interface{ rules() []rule }](environ []string, stderr io.Writer, settings C, do func(C) error) int {
	c, err := config.Load(settings, environ)
	if err == nil {
		err = check(c.rules())
	}
	if err == nil {
		err = do(c)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "auth: %v\n", err)
		return 1
	}
	return 0
}

// keyInterval is how often the service looks for new keys.
const keyInterval = 2 * time.Second

// keyMargin is how long a key stays published after the last token by it should
// have expired: for clocks that differ, verifiers' leeway and keyInterval.
const keyMargin = time.Minute

// KeyConfig are the settings of the signing keys, for the service and for the
// commands; they must be the same for both.
type KeyConfig struct {
	KeyDir         string        `env:"KEY_DIR"`          // open to its owner only
	KeyActivation  time.Duration `env:"KEY_ACTIVATION"`   // from when a key is published to when it signs
	AccessTokenTTL time.Duration `env:"ACCESS_TOKEN_TTL"` // how long a key stays published after it signed
}

// defaultKeys has a KeyActivation of 10 minutes for which verifiers keep a JWK
// Set (shared/token), 5 for which a cache on the way may have kept it before
// (max-age in internal/api), and 5 to spare.
func defaultKeys() KeyConfig {
	return KeyConfig{KeyDir: "keys", KeyActivation: 20 * time.Minute, AccessTokenTTL: 15 * time.Minute}
}

func (c KeyConfig) rules() []rule {
	return []rule{
		{c.KeyDir != "", "KEY_DIR is empty"},
		{c.KeyActivation >= 0, "KEY_ACTIVATION is under 0s"},
		{c.AccessTokenTTL >= time.Second, "ACCESS_TOKEN_TTL is under 1s"},
	}
}

func (c KeyConfig) keep() time.Duration { return c.AccessTokenTTL + keyMargin }

func rotateKeys(c KeyConfig, stdout io.Writer) error {
	added, removed, err := keys.Rotate(c.KeyDir, c.KeyActivation, c.keep())
	if err != nil {
		return err
	}
	for _, file := range removed {
		_, _ = fmt.Fprintf(stdout, "removed %s: no token needs it any more\n", file)
	}
	_, _ = fmt.Fprintf(stdout, "added %s; running services publish it within %v\n\n", added, keyInterval)
	return listKeys(c, stdout)
}

func listKeys(c KeyConfig, stdout io.Writer) error {
	all, err := keys.List(c.KeyDir, c.keep())
	if err != nil {
		return err
	}
	when := func(t time.Time, never string) string {
		if t.IsZero() {
			return never
		}
		return t.Format(time.RFC3339)
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "FILE\tSTATE\tSIGNS FROM\tPUBLISHED UNTIL\tKID")
	for _, k := range all {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", k.File, k.State, when(k.From, "the start"), when(k.Until, "replaced"), k.Kid)
	}
	return table.Flush()
}
