package auth_test

import (
	"net/http"
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

	status, body := post(t, url+"/api/auth/register", registration, "X-Internal-API-Key", c.InternalAPIKey)
	if status != http.StatusOK {
		t.Errorf("register: %d %s", status, body)
	}
	status, body = post(t, url+"/api/auth/login", `{"username":"Crane","password":"seven paper cranes"}`)
	if status != http.StatusOK || !strings.Contains(body, `"expires_in":60`) {
		t.Errorf("login: %d %s", status, body)
	}
	if err := token.NewRemoteKeys(url+"/.well-known/jwks.json", http.DefaultClient).Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if got := get(t, url+"/readyz"); !strings.Contains(got, `"database":"ok","keys":"ok","schema":"ok"`) {
		t.Errorf("readyz: %s", got)
	}
	before := get(t, url+"/.well-known/jwks.json")
	stop()

	url, _ = run(t, c)
	if diff := cmp.Diff(get(t, url+"/.well-known/jwks.json"), before); diff != "" {
		t.Errorf("keys after a restart (-got +want):\n%s", diff)
	}
}

func TestRunRefusesSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	const (
		noIssuer    = "ISSUER is not an http or https URL without query and fragment"
		noPage      = "CONSENT_URL is not an http or https URL without query and fragment"
		noCatalogue = "PRODUCT_URL is not an http or https URL without query and fragment"
		noKey       = "INTERNAL_API_KEY is short or a default, and who guesses it registers people: " +
			"make one with openssl rand -hex 32"
		noDatabase = "DATABASE_URL is empty"
		noSecret   = "KEYS_SECRET is short or a default, and who guesses it and reads the database signs as anybody: " +
			"make one with openssl rand -hex 32"
		badCost  = "BCRYPT_COST is not from 4 to 31"
		short    = "REFRESH_FAMILY_TTL is under REFRESH_TOKEN_TTL"
		noneFree = "a THROTTLE_…_FREE is under 1: nobody could sign in"
		noWait   = "THROTTLE_FIRST is not above 0, or over THROTTLE_ADMISSION, or that over THROTTLE_MOST"
	)
	const (
		noServer = "SMTP_URL is not of the form smtp://user:password@host:port or smtps://…"
		noTLS    = "SMTP_URL may end with ?tls=none only, and only as smtp:// without a password"
		noSender = "MAIL_FROM is not one e-mail address such as Craftista <mail@origami.example>"
	)
	defaultKey := "Craftista-Internal-API-Key-changeme"
	for name, row := range map[string]struct {
		change func(*auth.Config)
		want   string
	}{
		"no internal key":               {func(c *auth.Config) { c.InternalAPIKey = "" }, noKey},
		"a short internal key":          {func(c *auth.Config) { c.InternalAPIKey = "0b6fd7c11eacf0a" }, noKey},
		"a default internal key":        {func(c *auth.Config) { c.InternalAPIKey = "changeme" }, noKey},
		"a long default":                {func(c *auth.Config) { c.InternalAPIKey = defaultKey }, noKey},
		"a default twice":               {func(c *auth.Config) { c.InternalAPIKey = "secretsecretsecret" }, noKey},
		"a blank internal key":          {func(c *auth.Config) { c.InternalAPIKey = strings.Repeat(" ", 32) }, noKey},
		"no database":                   {func(c *auth.Config) { c.DatabaseURL = "" }, noDatabase},
		"no audience":                   {func(c *auth.Config) { c.Audience = "" }, "AUDIENCE is empty"},
		"no secret of the keys":         {func(c *auth.Config) { c.KeysSecret = "" }, noSecret},
		"issuer without a host":         {func(c *auth.Config) { c.Issuer = "http://" }, noIssuer},
		"issuer of another kind":        {func(c *auth.Config) { c.Issuer = "ftp://auth" }, noIssuer},
		"issuer with a query":           {func(c *auth.Config) { c.Issuer = "https://auth?x" }, noIssuer},
		"issuer that is no URL":         {func(c *auth.Config) { c.Issuer = "http://a b" }, noIssuer},
		"no catalogue":                  {func(c *auth.Config) { c.ProductURL = "product" }, noCatalogue},
		"no consent page":               {func(c *auth.Config) { c.ConsentURL = "/authorize" }, noPage},
		"keys that sign before":         {func(c *auth.Config) { c.KeyActivation = -1 }, "KEY_ACTIVATION is under 0s"},
		"tokens without lifetime":       {func(c *auth.Config) { c.AccessTokenTTL = 0 }, "ACCESS_TOKEN_TTL is under 1s"},
		"bcrypt too cheap":              {func(c *auth.Config) { c.BcryptCost = 3 }, badCost},
		"bcrypt too dear":               {func(c *auth.Config) { c.BcryptCost = 32 }, badCost},
		"refresh without lifetime":      {func(c *auth.Config) { c.RefreshTokenTTL = 0 }, "REFRESH_TOKEN_TTL is under 1s"},
		"families end before tokens":    {func(c *auth.Config) { c.RefreshFamilyTTL = time.Hour }, short},
		"nothing free":                  {func(c *auth.Config) { c.PairFree = 0 }, noneFree},
		"no wait":                       {func(c *auth.Config) { c.First = 0 }, noWait},
		"a mail server of another kind": {func(c *auth.Config) { c.SMTPURL = "https://mail" }, noServer},
		"a mail server with a query":    {func(c *auth.Config) { c.SMTPURL = "smtp://mail?tls=off" }, noTLS},
		"a password in the clear":       {func(c *auth.Config) { c.SMTPURL = "smtp://a:hunter2@mail?tls=none" }, noTLS},
		"mail from nobody":              {func(c *auth.Config) { c.SMTPURL, c.MailFrom = "smtp://mail", "nobody" }, noSender},
		"all at once": {func(c *auth.Config) { c.InternalAPIKey, c.DatabaseURL, c.BcryptCost = "", "", 0 },
			noDatabase + "\n  " + noKey + "\n  " + badCost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := settings(t)
			row.change(&c)
			want := "invalid settings:\n  " + row.want
			if err := auth.Run(t.Context(), c); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestSettingsComeFromTheEnvironment(t *testing.T) {
	t.Parallel()
	got, err := config.Load(auth.Default(), []string{
		"DATABASE_URL=postgres://db", "INTERNAL_API_KEY=k", "KEYS_SECRET=s", "ACCESS_TOKEN_TTL=1m", "REFRESH_TOKEN_TTL=2m",
		"REFRESH_FAMILY_TTL=3m", "THROTTLE_PAIR_FREE=9", "THROTTLE_MOST=1h", "BCRYPT_COST=10",
		"SMTP_URL=smtp://mail", "MAIL_FROM=mail@origami.example",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := auth.Default()
	want.DatabaseURL, want.InternalAPIKey, want.AccessTokenTTL, want.BcryptCost = "postgres://db", "k", time.Minute, 10
	want.KeysSecret = "s"
	want.RefreshTokenTTL, want.RefreshFamilyTTL = 2*time.Minute, 3*time.Minute
	want.PairFree, want.Most = 9, time.Hour
	want.SMTPURL, want.MailFrom = "smtp://mail", "mail@origami.example"
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("settings (-got +want):\n%s", diff)
	}
	_, err = config.Load(auth.Default(), []string{"INTERNAL_API_KEY="})
	for _, mistake := range []string{"INTERNAL_API_KEY is empty", "DATABASE_URL is not set", "KEYS_SECRET is not set"} {
		if err == nil || !strings.Contains(err.Error(), mistake) {
			t.Errorf("got %v, want %s", err, mistake)
		}
	}
}
