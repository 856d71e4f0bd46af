package auth

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"craftista/auth/internal/keys"
	"craftista/auth/internal/postgres"
)

// keyInterval is how often the service reads its keys.
const keyInterval = 2 * time.Second

// keyMargin is how long a key stays published after the last token by it has
// expired: for clocks that differ, verifiers' leeway and keyInterval.
const keyMargin = time.Minute

// KeyConfig are the settings of the signing keys, for the service and for the
// commands; they must be the same for both.
type KeyConfig struct {
	DatabaseURL    string        `env:"DATABASE_URL,required,notEmpty"` // of the role craftista_auth
	KeysSecret     string        `env:"KEYS_SECRET,required,notEmpty"`  // encrypts the keys there
	KeyActivation  time.Duration `env:"KEY_ACTIVATION"`                 // from when a key is published to when it signs
	AccessTokenTTL time.Duration `env:"ACCESS_TOKEN_TTL"`               // how long a key stays published after it signed
}

// defaultKeys has a KeyActivation of 10 minutes for which verifiers of others may
// cache a JWK Set, 5 for which a cache on the way may have had it before
// (max-age in internal/api), and 5 to spare.
func defaultKeys() KeyConfig {
	return KeyConfig{KeyActivation: 20 * time.Minute, AccessTokenTTL: 15 * time.Minute}
}

func (c KeyConfig) rules() []rule {
	return []rule{
		{c.DatabaseURL != "", "DATABASE_URL is empty"},
		{!guessable(c.KeysSecret), "KEYS_SECRET is short or a default, and who guesses it and reads the database signs as " +
			"anybody: make one with openssl rand -hex 32"},
		{c.KeyActivation >= 0, "KEY_ACTIVATION is under 0s"},
		{c.AccessTokenTTL >= time.Second, "ACCESS_TOKEN_TTL is under 1s"},
	}
}

// retention is how long a key stays published after the next one began to sign.
func (c KeyConfig) retention() time.Duration { return c.AccessTokenTTL + keyMargin }

// work opens the keys for one command.
func (c KeyConfig) work(do func(context.Context, KeyConfig, *keys.Set, io.Writer) error, stdout io.Writer) error {
	return withStore(c.DatabaseURL, func(ctx context.Context, store *postgres.Store) error {
		set, err := keys.New(store, c.KeysSecret, c.retention())
		if err != nil {
			return err
		}
		return do(ctx, c, set, stdout)
	})
}

func rotateKeys(ctx context.Context, c KeyConfig, set *keys.Set, stdout io.Writer) error {
	added, removed, err := set.Rotate(ctx, c.KeyActivation)
	if err != nil {
		return err
	}
	for _, from := range removed {
		_, _ = fmt.Fprintf(stdout, "removed the key of %s: no token needs it any more\n", when(from))
	}
	_, _ = fmt.Fprintf(stdout, "added the key of %s; running services publish it within %v\n\n", when(added), keyInterval)
	return listKeys(ctx, c, set, stdout)
}

func listKeys(ctx context.Context, _ KeyConfig, set *keys.Set, stdout io.Writer) error {
	all, err := set.List(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "SIGNS FROM\tSTATE\tPUBLISHED UNTIL\tKID")
	for _, k := range all {
		until := "replaced"
		if !k.Until.IsZero() {
			until = when(k.Until)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", when(k.From), k.State, until, k.Kid)
	}
	return table.Flush()
}

// when is the time, of which the first key has none.
func when(t time.Time) string {
	if t.Unix() == 0 {
		return "the start"
	}
	return t.Format(time.RFC3339)
}
