package auth_test

import (
	"encoding/json"
	"net/http"
	neturl "net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/shared/waittest"

	"github.com/google/go-cmp/cmp"
)

// TestRotateReachesARunningService runs the command beside the service, which
// nobody restarts, as an operator does.
func TestRotateReachesARunningService(t *testing.T) {
	t.Parallel()
	c := settings(t)
	c.DatabaseURL = pgtest.New(t).AuthURL
	url, _ := run(t, c)
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
	before, began := published(), time.Now()
	own := program("DATABASE_URL="+c.DatabaseURL, "KEYS_SECRET="+c.KeysSecret, "ACCESS_TOKEN_TTL=1m")
	code, stdout, stderr := own("keys rotate")
	if code != 0 || stderr != "" {
		t.Fatalf("code %d, stderr %q", code, stderr)
	}
	added := regexp.MustCompile(`^added the key of \S+; running services publish it within 2s\n\n` +
		`SIGNS FROM +STATE +PUBLISHED UNTIL +KID\n` +
		`(\S+) +waits +replaced +(\S+)\n` +
		`the start +signs +(\S+) +(\S+)\n$`).FindStringSubmatch(stdout)
	if added == nil {
		t.Fatalf("stdout:\n%s", stdout)
	}
	from, err := time.Parse(time.RFC3339, added[1])
	if err != nil || from.Sub(began) < 20*time.Minute || time.Until(from) > 20*time.Minute+time.Second {
		t.Errorf("signs from %v, error %v; want in 20 min", added[1], err)
	}
	if want := from.Add(2 * time.Minute).Format(time.RFC3339); added[3] != want {
		t.Errorf("the old one is published until %s, want %s", added[3], want)
	}
	waittest.Until(t, "the new key is published", func() bool { return len(published()) == 2 })
	if diff := cmp.Diff(published(), []string{added[2], before[0]}); diff != "" {
		t.Errorf("published (-got +want):\n%s", diff)
	}
}

func TestMainExitCodes(t *testing.T) {
	t.Parallel()
	database := []string{"DATABASE_URL=postgres://127.0.0.1:1/x"}
	own := []string{database[0], "KEYS_SECRET=5a1e90c47bd2386f"}
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
		"rotate into the past": {"keys rotate", append(own, "KEY_ACTIVATION=-1s"), 1,
			"auth: invalid settings:\n  KEY_ACTIVATION is under 0s\n"},
		"no duration": {"keys list", append(own, "ACCESS_TOKEN_TTL=x"), 1,
			"auth: invalid settings:\n  ACCESS_TOKEN_TTL is not a length of time"},
		"show no client":                {"clients show", nil, 2, "usage:\n"},
		"an unknown client":             {"clients burn client-a", nil, 2, "usage:\n"},
		"clients alone":                 {"clients", nil, 2, "usage:\n"},
		"a client with a word":          {"clients add bird", nil, 2, "only flags are known"},
		"a client without flags":        {"clients add", database, 1, "name must be"},
		"a client to a fragment":        {"clients add -name x -redirect https://x/#", database, 1, "must be an https URL"},
		"a client at an IPv6 address":   {"clients add -name x -redirect http://[::1]/", database, 1, "no IPv6 address"},
		"a client with no visible name": {"clients add -name \u200b", database, 1, "name must be"},
		"a client without a base":       {"clients add -name x", nil, 1, "DATABASE_URL is not set"},
		"keys without a base":           {"keys list", own, 1, "auth: list signing keys: select signing keys: "},
		"keys without a secret":         {"keys list", database, 1, "KEYS_SECRET is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := program(row.environ...)(row.args)
			if code != row.code || !strings.Contains(stderr, row.stderr) {
				t.Errorf("code %d, stderr %q; want %d, %q", code, stderr, row.code, row.stderr)
			}
		})
	}
}

// TestClientsGetWhatTheCommandsLeaveThem goes through all commands about a client,
// beside a running service.
func TestClientsGetWhatTheCommandsLeaveThem(t *testing.T) {
	t.Parallel()
	c := settings(t)
	c.DatabaseURL = pgtest.New(t).AuthURL
	url, _ := run(t, c)
	succeed := func(args string) string {
		t.Helper()
		code, stdout, stderr := program("DATABASE_URL=" + c.DatabaseURL)(args)
		if code != 0 || stderr != "" {
			t.Errorf("%s: code %d, stderr %q", args, code, stderr)
		}
		return stdout
	}
	secretOf := func(stdout string) string {
		t.Helper()
		found := regexp.MustCompile(`(?:^|\n)client_secret  ([A-Z2-7]{52})\n` +
			`This is the only time that the secret is shown\.\n$`).FindStringSubmatch(stdout)
		if found == nil {
			t.Fatalf("stdout %q", stdout)
		}
		return found[1]
	}
	added := succeed("clients add -name Nightly -scope votes:read")
	id, secret := regexp.MustCompile(`client-[a-z2-7]{26}`).FindString(added), secretOf(added)
	want := func(when, secret string, status int) {
		t.Helper()
		res, err := http.PostForm(url+"/oauth2/token", neturl.Values{
			"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _ = res.Body.Close(); res.StatusCode != status {
			t.Errorf("%s: %d, want %d", when, res.StatusCode, status)
		}
	}
	want("added", secret, http.StatusOK)
	next := secretOf(succeed("clients rotate-secret " + id))
	want("the old secret", secret, http.StatusUnauthorized)
	want("the new secret", next, http.StatusOK)
	succeed("clients disable " + id)
	want("disabled", next, http.StatusUnauthorized)
	shown := "client_id  " + id + "\nname       Nightly\npublic     false\ndisabled   true\n" +
		"redirects  \nlogouts    \nscopes     votes:read\n\n"
	if diff := cmp.Diff(succeed("clients show "+id), shown); diff != "" {
		t.Errorf("shown (-got +want):\n%s", diff)
	}
	succeed("clients enable " + id)
	want("enabled", next, http.StatusOK)
	phone := succeed("clients add -name Phone -public -redirect http://127.0.0.1/ -redirect https://x.example/")
	if !regexp.MustCompile(`^client_id      client-[a-z2-7]{26}\n$`).MatchString(phone) {
		t.Errorf("a public client: %q", phone)
	}
	all := succeed("clients list")
	if strings.Count(all, "client_id") != 2 || !strings.Contains(all, "name       Phone\npublic     true") {
		t.Errorf("list:\n%s", all)
	}
	succeed("clients delete " + id)
	want("deleted", next, http.StatusUnauthorized)
	public := strings.TrimSpace(phone[len("client_id"):])
	for _, args := range []string{"show " + id, "disable " + id, "rotate-secret " + public} {
		code, _, stderr := program("DATABASE_URL=" + c.DatabaseURL)("clients " + args)
		if code != 1 || !strings.HasPrefix(stderr, "auth: no such client") {
			t.Errorf("%s: code %d, stderr %q", args, code, stderr)
		}
	}
}
