package auth

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"craftista/auth/internal/keys"
)

// keyInterval is how often the service reads the directory of its keys.
const keyInterval = 2 * time.Second

// keyMargin is how long a key stays published after the last token by it has
// expired: for clocks that differ, verifiers' leeway and keyInterval.
const keyMargin = time.Minute

// KeyConfig are the settings of the signing keys, for the service and for the
// commands; they must be the same for both.
type KeyConfig struct {
	KeyDir         string        `env:"KEY_DIR"`          // open to its owner only
	KeyActivation  time.Duration `env:"KEY_ACTIVATION"`   // from when a key is published to when it signs
	AccessTokenTTL time.Duration `env:"ACCESS_TOKEN_TTL"` // how long a key stays published after it signed
}

// defaultKeys has a KeyActivation of 10 minutes for which verifiers of others may
// cache a JWK Set, 5 for which a cache on the way may have had it before
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

// retention is how long a key stays published after the next one began to sign.
func (c KeyConfig) retention() time.Duration { return c.AccessTokenTTL + keyMargin }

func rotateKeys(c KeyConfig, stdout io.Writer) error {
	added, removed, err := keys.Rotate(c.KeyDir, c.KeyActivation, c.retention())
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
	all, err := keys.List(c.KeyDir, c.retention())
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
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n",
			k.File, k.State, when(k.From, "the start"), when(k.Until, "replaced"), k.Kid)
	}
	return table.Flush()
}
