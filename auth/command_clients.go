package auth

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"craftista/auth/internal/oidc"
	"craftista/auth/internal/postgres"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
)

// ClientConfig are the settings of the commands about OAuth clients.
type ClientConfig struct {
	DatabaseURL string `env:"DATABASE_URL,required,notEmpty"` // as the service's
}

// parseClient reads the flags of `auth clients add`. It has written what is wrong to
// stderr when it returns an error.
func parseClient(args []string, stderr io.Writer) (oidc.Registration, error) {
	var r oidc.Registration
	flags := flag.NewFlagSet("auth clients add", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&r.Name, "name", "", "what people see when they are asked")
	flags.Func("redirect", "an exact `URL` to come back to, https or of this machine; can be repeated; "+
		"without any, the client acts for itself", appendTo(&r.Redirects))
	flags.Func("logout", "an exact `URL` to go to after a sign-out; can be repeated", appendTo(&r.Logouts))
	flags.StringVar(&r.Scope, "scope", "openid profile email",
		"what it may ask for, with spaces between: "+strings.Join(oidc.Scopes(), " "))
	flags.BoolVar(&r.Public, "public", false, "cannot keep a secret: an app on a phone, a page in a browser")
	err := flags.Parse(args)
	if err == nil && flags.NArg() > 0 {
		err = errors.New("only flags are known")
		_, _ = fmt.Fprintf(stderr, "auth clients add: %v, not %q\n", err, flags.Arg(0))
	}
	return r, err
}

func appendTo(list *[]string) func(string) error {
	return func(text string) error { *list = append(*list, text); return nil }
}

// addClient stores the client and prints its secret, the only time that anybody
// sees it.
func addClient(c ClientConfig, r oidc.Registration, stdout io.Writer) error {
	client, secret, err := oidc.NewClient(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	db, err := pg.Open(c.DatabaseURL, telemetry.Discard())
	if err != nil {
		return err
	}
	if err := errors.Join(postgres.NewStore(db).AddClient(ctx, client), db.Close()); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stdout, "client_id      %s\n", client.ID)
	if secret != "" {
		_, _ = fmt.Fprintf(stdout, "client_secret  %s\nThis is the only time that the secret is shown.\n", secret)
	}
	return nil
}
