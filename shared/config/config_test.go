package config_test

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"craftista/shared/config"

	"github.com/google/go-cmp/cmp"
)

type Common struct {
	Addr    string `env:"ADDR"`
	Version string `env:"VERSION"`
}

type settings struct {
	Common
	Database string         `env:"DATABASE_URL,required,notEmpty"`
	Key      string         `env:"KEY,required"`
	TTL      time.Duration  `env:"TTL"`
	Secret   string         `env:"SECRET,notEmpty"`
	Quiet    bool           `env:"QUIET"`
	Level    slog.Level     `env:"LOG_LEVEL"`
	Trusted  []netip.Prefix `env:"TRUSTED"`
	Cost     int            `env:"COST"`
	Rate     float64        `env:"RATE"`
}

func TestLoadOverlaysDefaults(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := config.Load(settings{Common: Common{Version: "dev"}, TTL: time.Minute},
		[]string{"ADDR=:8000", "DATABASE_URL=postgres://db", "KEY=k", "QUIET=true", "LOG_LEVEL=warn",
			"SECRET_FILE=" + secret, "TRUSTED=10.0.0.0/8, fd00::/8", "COST=12", "RATE=0.5", "UNRELATED=x"})
	if err != nil {
		t.Fatal(err)
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	want := settings{
		Common{":8000", "dev"}, "postgres://db", "k", time.Minute, "s3cret", true, slog.LevelWarn, trusted, 12, 0.5,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestLoadReportsEveryMistakeAndNoValue(t *testing.T) {
	t.Parallel()
	_, err := config.Load(settings{}, []string{
		"DATABASE_URL=", "TTL=hunter2", "QUIET=perhaps", "SECRET_FILE=/hunter2", "ADDR=hunter2", "ADDR_FILE=/dev/null",
		"LOG_LEVEL=hunter2", "COST=twelve", "RATE=hunter2",
	})
	if err == nil {
		t.Fatal("nine mistakes, no error")
	}
	for _, want := range []string{
		"DATABASE_URL is empty", "KEY is not set", "QUIET is not true or false",
		"TTL is not a length of time with its unit, such as 5s, 500ms or 2m", "COST is not a whole number, or is too large",
		"SECRET_FILE cannot be read", "ADDR and ADDR_FILE are both set",
		"LOG_LEVEL is not debug, info, warn or error", "RATE is not a number",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing from:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error repeats a value, which may be a secret:\n%v", err)
	}
}

func TestLengthsOfTimeHaveAUnit(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{"5": false, "1.5": false, "5 s": false, "2d": false, "5s": true, "1m30s": true} {
		_, err := config.Load(settings{}, []string{"DATABASE_URL=x", "KEY=x", "SECRET=x", "TTL=" + text})
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "TTL is not a length of time with its unit") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNetworksAreAList(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "10.0.0.1/32": 1, "10.0.0.0/8,fd00::/8": 2,
		"10.0.0.1": -1, "proxy.example": -1, "10.0.0.0/33": -1, "10.0.0.0/8,": -1, "10.0.0.0/8 fd00::/8": -1,
		"fe80::%eth0/64": -1, "::ffff:10.0.0.0/104": -1,
	} {
		got, err := config.Load(settings{}, []string{"DATABASE_URL=x", "KEY=x", "SECRET=x", "TRUSTED=" + text})
		switch {
		case want < 0 && err == nil:
			t.Errorf("%q is accepted", text)
		case want < 0 && err.Error() != "invalid settings:\n  TRUSTED is not a list of networks such as 10.0.0.0/8, fd00::/8":
			t.Errorf("%q: %v", text, err)
		case want >= 0 && (err != nil || len(got.Trusted) != want):
			t.Errorf("%q: %v, %v", text, got.Trusted, err)
		}
	}
}
