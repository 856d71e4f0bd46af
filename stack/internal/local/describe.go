package local

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"craftista/db"
)

// describe prints every URL and the demo accounts.
func (s *Stack) describe(out io.Writer, c Config, took time.Duration) {
	t := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) }
	line("\nCraftista is ready after %.1f s. Open %s\n", took.Seconds(), s.URLs["frontend"])
	for _, row := range []struct{ name, what string }{
		{"frontend", "the gallery"},
		{"product", "catalogue and votes, /docs"},
		{"recommendation", "piece of the day and picks, /docs"},
		{"auth", "people and tokens, /docs"},
		{"mails", "what auth sent, which goes to nobody"},
		{"traces", "every request, step by step, and the rates, failures and latencies of routes"},
	} {
		if url, ok := s.URLs[row.name]; ok {
			line("  %s\t%s\t%s", row.name, url, row.what)
		}
	}
	if c.Seed {
		line("\n  sign in as\twith the password")
		for _, a := range db.DemoAccounts() {
			line("  %s\t%s\t(%s)", a.Username, a.Password, a.Role)
		}
	}
	line("\nScripts register people with the key in %s", s.KeyFile)
	line("Applications sign people in: DATABASE_URL_FILE=%s go run ./auth/cmd/auth clients", s.authDatabase)
	line("\nCtrl-C stops everything.")
	_ = t.Flush() // a closed terminal is no reason to stop
}
