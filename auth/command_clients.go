package auth

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"craftista/auth/internal/oidc"
	"craftista/auth/internal/postgres"
	"craftista/shared/fault"
)

// ClientConfig are the settings of the commands about OAuth clients.
type ClientConfig struct {
	DatabaseURL string `env:"DATABASE_URL,required,notEmpty"` // as the service's
}

// clientWork is a command about OAuth clients.
type clientWork func(ctx context.Context, s *postgres.Store, stdout io.Writer) error

// parseClients reads what follows `auth clients`; it returns nil if that makes no sense.
func parseClients(args []string, stderr io.Writer) clientWork {
	switch {
	case len(args) > 0 && args[0] == "add":
		return parseAdd(args[1:], stderr)
	case len(args) == 1 && args[0] == "list":
		return printClients("")
	case len(args) != 2:
		return nil
	}
	id := args[1]
	switch args[0] {
	case "show":
		return printClients(id)
	case "disable":
		return func(ctx context.Context, s *postgres.Store, _ io.Writer) error { return s.DisableClient(ctx, id) }
	case "enable":
		return func(ctx context.Context, s *postgres.Store, _ io.Writer) error { return s.EnableClient(ctx, id) }
	case "delete":
		return func(ctx context.Context, s *postgres.Store, _ io.Writer) error { return s.DeleteClient(ctx, id) }
	case "rotate-secret":
		return rotateSecret(id)
	default:
		return nil
	}
}

// parseAdd reads the flags of `auth clients add`. It has written what is wrong to
// stderr when it returns nil.
func parseAdd(args []string, stderr io.Writer) clientWork {
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
	if err := flags.Parse(args); err != nil {
		return nil
	}
	if flags.NArg() > 0 {
		_, _ = fmt.Fprintf(stderr, "auth clients add: only flags are known, not %q\n", flags.Arg(0))
		return nil
	}
	return addClient(r)
}

func appendTo(list *[]string) func(string) error {
	return func(text string) error { *list = append(*list, text); return nil }
}

func addClient(r oidc.Registration) clientWork {
	return func(ctx context.Context, s *postgres.Store, stdout io.Writer) error {
		client, secret, err := oidc.NewClient(r)
		if err != nil {
			return err
		}
		if err := s.AddClient(ctx, client); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(stdout, "client_id      %s\n", client.ID)
		if secret != "" {
			printSecret(stdout, secret)
		}
		return nil
	}
}

// rotateSecret replaces the secret of a client: the one before is good no more.
func rotateSecret(id string) clientWork {
	return func(ctx context.Context, s *postgres.Store, stdout io.Writer) error {
		secret, hash := oidc.NewSecret()
		if err := s.ReplaceSecret(ctx, id, hash); err != nil {
			return err
		}
		printSecret(stdout, secret)
		return nil
	}
}

func printSecret(stdout io.Writer, secret string) {
	_, _ = fmt.Fprintf(stdout, "client_secret  %s\nThis is the only time that the secret is shown.\n", secret)
}

// printClients prints all clients, or the one with that id.
func printClients(id string) clientWork {
	return func(ctx context.Context, s *postgres.Store, stdout io.Writer) error {
		all, err := s.Clients(ctx)
		if err != nil {
			return err
		}
		if id != "" {
			all = slices.DeleteFunc(all, func(c oidc.Client) bool { return c.ID != id })
			if len(all) == 0 {
				return fault.New(fault.NotFound, "no such client")
			}
		}
		for _, c := range all {
			_, _ = fmt.Fprintf(stdout, "client_id  %s\nname       %s\npublic     %t\ndisabled   %t\n"+
				"redirects  %s\nlogouts    %s\nscopes     %s\n\n", c.ID, c.Name, c.SecretHash == nil, c.Disabled,
				strings.Join(c.RedirectURIs, " "), strings.Join(c.LogoutURIs, " "), strings.Join(c.Scopes, " "))
		}
		return nil
	}
}
