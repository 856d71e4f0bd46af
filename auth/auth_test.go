package auth_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"craftista/auth"
	"craftista/db/pgtest"
	"craftista/shared/config"
	"craftista/shared/token"

	"github.com/google/go-cmp/cmp"
)

func TestRunServesUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	c := settings(t)
	c.DatabaseURL = pgtest.New(t).AuthURL
	url, stop := run(t, c)

	const person = `{"username":"Crane","email":"crane@example.com","password":"seven paper cranes"}`
	if status, body := post(t, url+"/api/auth/register", c.InternalAPIKey, person); status != http.StatusOK {
		t.Errorf("register: %d %s", status, body)
	}
	status, body := post(t, url+"/api/auth/login", "", `{"username":"Crane","password":"seven paper cranes"}`)
	if status != http.StatusOK || !strings.Contains(body, `"expires_in":60`) {
		t.Errorf("login: %d %s", status, body)
	}
	if err := token.NewRemoteKeys(url+"/.well-known/jwks.json", http.DefaultClient).Ready(t.Context()); err != nil {
		t.Error(err)
	}
	before := get(t, url+"/.well-known/jwks.json")
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}

	url, stop = run(t, c)
	if diff := cmp.Diff(get(t, url+"/.well-known/jwks.json"), before); diff != "" {
		t.Errorf("keys after a restart (-got +want):\n%s", diff)
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestRunRefusesSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	const noIssuer = "ISSUER is not an http or https URL without query and fragment"
	const noKey = "INTERNAL_API_KEY is short or a default, and who guesses it registers people: make one with openssl rand -hex 32"
	for name, row := range map[string]struct {
		change func(*auth.Config)
		want   []string
	}{
		"no internal key":            {func(c *auth.Config) { c.InternalAPIKey = "" }, []string{noKey}},
		"a short internal key":       {func(c *auth.Config) { c.InternalAPIKey = "0b6fd7c11eacf0a" }, []string{noKey}},
		"a default internal key":     {func(c *auth.Config) { c.InternalAPIKey = "changeme" }, []string{noKey}},
		"a long default":             {func(c *auth.Config) { c.InternalAPIKey = "Craftista-Internal-API-Key-changeme" }, []string{noKey}},
		"a default twice":            {func(c *auth.Config) { c.InternalAPIKey = "secretsecretsecret" }, []string{noKey}},
		"a blank internal key":       {func(c *auth.Config) { c.InternalAPIKey = strings.Repeat(" ", 32) }, []string{noKey}},
		"no database":                {func(c *auth.Config) { c.DatabaseURL = "" }, []string{"DATABASE_URL is empty"}},
		"no audience":                {func(c *auth.Config) { c.Audience = "" }, []string{"AUDIENCE is empty"}},
		"no directory":               {func(c *auth.Config) { c.KeyDir = "" }, []string{"KEY_DIR is empty"}},
		"issuer without a host":      {func(c *auth.Config) { c.Issuer = "http://" }, []string{noIssuer}},
		"issuer of another kind":     {func(c *auth.Config) { c.Issuer = "ftp://auth" }, []string{noIssuer}},
		"issuer with a query":        {func(c *auth.Config) { c.Issuer = "https://auth?x" }, []string{noIssuer}},
		"no consent page":            {func(c *auth.Config) { c.ConsentURL = "/authorize" }, []string{"CONSENT_URL is not an http or https URL without query and fragment"}},
		"issuer that is no URL":      {func(c *auth.Config) { c.Issuer = "http://a b" }, []string{noIssuer}},
		"keys that sign before":      {func(c *auth.Config) { c.KeyActivation = -1 }, []string{"KEY_ACTIVATION is under 0s"}},
		"tokens without lifetime":    {func(c *auth.Config) { c.AccessTokenTTL = 0 }, []string{"ACCESS_TOKEN_TTL is under 1s"}},
		"bcrypt too cheap":           {func(c *auth.Config) { c.BcryptCost = 3 }, []string{"BCRYPT_COST is not from 4 to 31"}},
		"bcrypt too dear":            {func(c *auth.Config) { c.BcryptCost = 32 }, []string{"BCRYPT_COST is not from 4 to 31"}},
		"refresh without lifetime":   {func(c *auth.Config) { c.RefreshTokenTTL = 0 }, []string{"REFRESH_TOKEN_TTL is under 1s"}},
		"families end before tokens": {func(c *auth.Config) { c.RefreshFamilyTTL = time.Hour }, []string{"REFRESH_FAMILY_TTL is under REFRESH_TOKEN_TTL"}},
		"nothing free":               {func(c *auth.Config) { c.PairFree = 0 }, []string{"a THROTTLE_…_FREE is under 1: nobody could sign in"}},
		"no wait":                    {func(c *auth.Config) { c.First = 0 }, []string{"THROTTLE_FIRST is not above 0, or over THROTTLE_MOST or THROTTLE_ACCOUNT_MOST"}},
		"all at once": {func(c *auth.Config) { c.InternalAPIKey, c.DatabaseURL, c.BcryptCost = "", "", 0 },
			[]string{"DATABASE_URL is empty", noKey, "BCRYPT_COST is not from 4 to 31"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := settings(t)
			row.change(&c)
			want := "settings to mend:\n  " + strings.Join(row.want, "\n  ")
			if err := auth.Run(t.Context(), c); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestSettingsComeFromTheEnvironment(t *testing.T) {
	t.Parallel()
	got, err := config.Load(auth.Default(), []string{"DATABASE_URL=postgres://db", "INTERNAL_API_KEY=k", "ACCESS_TOKEN_TTL=1m",
		"REFRESH_TOKEN_TTL=2m", "REFRESH_FAMILY_TTL=3m", "THROTTLE_PAIR_FREE=9", "THROTTLE_MOST=1h", "BCRYPT_COST=10"})
	if err != nil {
		t.Fatal(err)
	}
	want := auth.Default()
	want.DatabaseURL, want.InternalAPIKey, want.AccessTokenTTL, want.BcryptCost = "postgres://db", "k", time.Minute, 10
	want.RefreshTokenTTL, want.RefreshFamilyTTL = 2*time.Minute, 3*time.Minute
	want.PairFree, want.Most = 9, time.Hour
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("settings (-got +want):\n%s", diff)
	}
	_, err = config.Load(auth.Default(), []string{"INTERNAL_API_KEY="})
	if err == nil || !strings.Contains(err.Error(), "INTERNAL_API_KEY is empty") || !strings.Contains(err.Error(), "DATABASE_URL is not set") {
		t.Errorf("got %v, want both mistakes", err)
	}
}

// settings work but for the database, which is not there.
func settings(t *testing.T) auth.Config {
	t.Helper()
	c := auth.Default()
	c.Log = slog.DiscardHandler
	c.DatabaseURL = "postgres://craftista_auth@127.0.0.1:1/craftista"
	c.KeyDir = filepath.Join(t.TempDir(), "keys")
	c.InternalAPIKey = "0b6fd7c11eacf0a9" // 16 bytes are enough
	c.AccessTokenTTL = time.Minute
	c.BcryptCost = 4
	return c
}

// run starts the service on a free port and returns its URL and what stops it.
func run(t *testing.T, c auth.Config) (url string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Listener = l
	c.Issuer = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- auth.Run(ctx, c) }()
	return c.Issuer, func() error {
		cancel()
		return <-done
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func post(t *testing.T, url, key, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Internal-API-Key", key)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}
