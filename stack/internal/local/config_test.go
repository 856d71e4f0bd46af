package local_test

import (
	"strings"
	"testing"

	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"
)

// Settings that cannot work are answered with one sentence that says what to do.
func TestSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	running := stacktest.Start(t, nil)
	taken := strings.TrimPrefix(running.URLs["frontend"], "http://")
	for _, row := range []struct {
		name   string
		change func(*local.Config)
		want   string // texts, between bars
	}{
		{"ports in use", func(c *local.Config) { c.FrontendAddr, c.AuthAddr = taken, taken },
			"FRONTEND_ADDR=" + taken + " cannot be listened on|AUTH_ADDR=localhost:0 picks a free port|already in use"},
		{"no such host", func(c *local.Config) { c.ProductAddr = "nowhere.invalid:1" }, "PRODUCT_ADDR=nowhere.invalid:1"},
		{"unreachable database", func(c *local.Config) { c.DatabaseURL = "postgres://me:hunter2@127.0.0.1:1/x" },
			"the database at 127.0.0.1:1 does not answer|DATABASE_URL"},
		{"database URL of another kind", func(c *local.Config) { c.DatabaseURL = "mysql" },
			"DATABASE_URL is not of the form"},
		{"folder cannot be written", func(c *local.Config) { c.Data = "/proc/craftista" }, "the data folder|STACK_DATA"},
		{"a service's own setting", func(c *local.Config) { c.RedisURL = "foo" }, "product ended by itself|read Redis URL"},
		{"another service's own setting", func(c *local.Config) { c.BcryptCost = 99 }, "auth ended by itself|BCRYPT_COST"},
		{"a key of two services", func(c *local.Config) { c.InternalAPIKey = "short" }, "ended by itself|INTERNAL_API_KEY"},
		{"folder is a file", func(c *local.Config) { c.Data = "/dev/null/x" }, "the data folder|STACK_DATA"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := stacktest.Settings(t)
			row.change(&c)
			s, err := local.Start(t.Context(), c, func(string) {})
			if err == nil {
				t.Fatal("it started", s.Stop())
			}
			for want := range strings.SplitSeq(row.want, "|") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q shows the password", err)
			}
		})
	}
}
