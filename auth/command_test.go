package auth_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"craftista/auth"

	"github.com/google/go-cmp/cmp"
)

// TestRotateReachesARunningService goes the way of an operator: the command
// beside the service, which nobody restarts.
func TestRotateReachesARunningService(t *testing.T) {
	t.Parallel()
	c := settings(t)
	url, stop := run(t, c)
	published := func() []string {
		var set struct{ Keys []struct{ Kid string } }
		if err := json.Unmarshal([]byte(get(t, url+"/.well-known/jwks.json")), &set); err != nil {
			t.Fatal(err)
		}
		var kids []string
		for _, key := range set.Keys {
			kids = append(kids, key.Kid)
		}
		return kids
	}
	before := published()
	code, stdout, stderr := program("KEY_DIR="+c.KeyDir, "ACCESS_TOKEN_TTL=1m")("keys", "rotate")
	if code != 0 || stderr != "" {
		t.Fatalf("code %d, stderr %q", code, stderr)
	}
	added := regexp.MustCompile(`^added key-\d{8}T\d{6}Z\.pem; running services publish it within 2s\n\nFILE +STATE +SIGNS FROM +PUBLISHED UNTIL +KID\nkey-\d{8}T\d{6}Z\.pem +waits +(\S+) +replaced +(\S+)\nkey-0001\.pem +signs +the start +(\S+) +(\S+)\n$`).FindStringSubmatch(stdout)
	if added == nil {
		t.Fatalf("stdout:\n%s", stdout)
	}
	from, err := time.Parse(time.RFC3339, added[1])
	if early := time.Until(from); err != nil || early < 19*time.Minute || early > 21*time.Minute {
		t.Errorf("signs from %v, error %v; want in 20 min", added[1], err)
	}
	if want := from.Add(2 * time.Minute).Format(time.RFC3339); added[3] != want {
		t.Errorf("the old one is published until %s, want %s", added[3], want)
	}
	every, late := time.NewTicker(50*time.Millisecond), time.After(time.Minute)
	defer every.Stop()
	for len(published()) < 2 {
		select {
		case <-every.C:
		case <-late:
			t.Fatal("waited a minute for the new key")
		}
	}
	if diff := cmp.Diff(published(), []string{added[2], before[0]}); diff != "" {
		t.Errorf("published (-got +want):\n%s", diff)
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestMainExitCodes(t *testing.T) {
	t.Parallel()
	file := filepath.Join("testdata", "nothing")
	for name, row := range map[string]struct {
		args    string
		environ []string
		code    int
		stderr  string
	}{
		"keys alone":            {"keys", nil, 2, "usage:\n"},
		"keys and another word": {"keys burn", nil, 2, "usage:\n"},
		"a word too many":       {"keys rotate now", nil, 2, "usage:\n"},
		"a flag":                {"-help", nil, 2, "usage:\n"},
		"no URL to probe":       {"healthcheck", nil, 2, "usage:\n"},
		"probe of nothing":      {"healthcheck http://127.0.0.1:1/", nil, 1, "connection refused"},
		"service unset":         {"", nil, 1, "DATABASE_URL is not set"},
		"rotate into the past": {"keys rotate", []string{"KEY_DIR=" + file, "KEY_ACTIVATION=-1s"}, 1,
			"auth: settings to mend:\n  KEY_ACTIVATION is under 0s\n"},
		"no duration": {"keys list", []string{"KEY_DIR=" + file, "ACCESS_TOKEN_TTL=x"}, 1,
			"auth: settings to mend:\n  ACCESS_TOKEN_TTL is not a valid"},
		"list of nothing": {"keys list", []string{"KEY_DIR=" + file}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := program(row.environ...)(strings.Fields(row.args)...)
			if code != row.code || !strings.Contains(stderr, row.stderr) {
				t.Errorf("code %d, stderr %q; want %d, %q", code, stderr, row.code, row.stderr)
			}
		})
	}
}

// program runs auth with that environment.
func program(environ ...string) func(args ...string) (code int, stdout, stderr string) {
	return func(args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		code := auth.Main(args, environ, &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
}
