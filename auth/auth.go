// Package auth is the service of people and their sign-ins: it registers people,
// checks their passwords, and signs the access tokens that the other services
// verify by themselves.
package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/api"
	"craftista/auth/internal/issuer"
	"craftista/auth/internal/keys"
	"craftista/auth/internal/mail"
	"craftista/auth/internal/oidc"
	"craftista/auth/internal/postgres"
	"craftista/auth/internal/session"
	"craftista/auth/internal/throttle"
	"craftista/shared/build"
	"craftista/shared/health"
	"craftista/shared/pg"
	"craftista/shared/service"
	"craftista/shared/telemetry"
	"craftista/shared/web"

	"github.com/jmoiron/sqlx"
)

// queuePerCore is how many passwords may wait for each core. At cost 12, some
// 0.25 s each, the last in the queue waits 4 s, well inside web.RequestTimeout.
const queuePerCore = 16

// Config are the settings; Default has those that need no choice.
type Config struct {
	service.Config
	KeyConfig
	throttle.Limits
	Issuer         string `env:"ISSUER"`      // the URL that clients reach this service at
	Audience       string `env:"AUDIENCE"`    // who access tokens are for
	ConsentURL     string `env:"CONSENT_URL"` // the page that asks people about OAuth clients
	InternalAPIKey string `env:"INTERNAL_API_KEY,required,notEmpty"`
	// A refresh token expires when it is not used for RefreshTokenTTL, and all of one
	// sign-in after RefreshFamilyTTL.
	RefreshTokenTTL  time.Duration `env:"REFRESH_TOKEN_TTL"`
	RefreshFamilyTTL time.Duration `env:"REFRESH_FAMILY_TTL"`
	BcryptCost       int           `env:"BCRYPT_COST"` // 4 to 31; each step doubles the work
	SMTPURL          string        `env:"SMTP_URL"`    // see mail.NewSMTP; "" sends no mail
	MailFrom         string        `env:"MAIL_FROM"`   // the sender of mails
	ProductURL       string        `env:"PRODUCT_URL"` // takes the votes of deleted accounts back
}

// Default returns the settings of a laptop; DatabaseURL, KeysSecret and
// InternalAPIKey have no default.
func Default() Config {
	return Config{
		Config:           service.Config{Addr: ":8082"},
		KeyConfig:        defaultKeys(),
		Limits:           throttle.Default(),
		Issuer:           "http://localhost:8082",
		Audience:         "craftista",
		ConsentURL:       "http://localhost:3000/authorize",
		RefreshTokenTTL:  30 * 24 * time.Hour,
		RefreshFamilyTTL: 90 * 24 * time.Hour,
		BcryptCost:       12,
		ProductURL:       "http://localhost:8000",
		MailFrom:         "Craftista <craftista@localhost>",
	}
}

// Run serves until ctx is done and then stops gracefully. It gives the database, and
// the signing keys in it, ten seconds and then serves without; readiness reports them.
func Run(ctx context.Context, c Config) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.Serve(ctx, "auth", func(t *telemetry.Telemetry, opened *service.Closers) (*web.Router, error) {
		db, err := pg.Open(c.DatabaseURL, t)
		if err != nil {
			return nil, err
		}
		opened.Add(db.Close)
		signing, err := keys.New(postgres.NewStore(db), c.KeysSecret, c.retention())
		if err != nil {
			return nil, err
		}
		firstRead, cancel := context.WithTimeout(ctx, 10*time.Second)
		_, _ = signing.Refresh(firstRead) // Watch tries again, and logs why
		cancel()
		opened.Run(func(ctx context.Context) { signing.Watch(ctx, keyInterval, t.Log) })
		mails, err := c.openMail(t)
		if err != nil {
			return nil, err
		}
		opened.Add(mails.Close)
		d := c.dependencies(t, db, signing, mails)
		opened.Run(d.Deletions.Run)
		return api.Routes(t, d), nil
	})
}

// sender is where mails go, nil if they go nowhere.
func (c Config) sender() (mail.Sender, error) {
	if c.SMTPURL == "" {
		return nil, nil
	}
	return mail.NewSMTP(c.SMTPURL, c.MailFrom)
}

// openMail starts the queue of mails, whose links lead to the site that the consent page belongs to.
func (c Config) openMail(t *telemetry.Telemetry) (*mail.Queue, error) {
	sender, err := c.sender()
	site, _ := url.JoinPath(c.ConsentURL, "..") // it was checked before
	if sender == nil && err == nil {
		t.Log.Warn("no mail is sent, SMTP_URL is empty: nobody can reset a password or confirm an address")
	}
	pauses := []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second}
	return mail.NewQueue(sender, strings.TrimSuffix(site, "/"), pauses, t), err
}

// dependencies wires the packages of the service together.
func (c Config) dependencies(
	t *telemetry.Telemetry, db *sqlx.DB, signing *keys.Set, mails *mail.Queue,
) api.Dependencies {
	cores := runtime.GOMAXPROCS(0)
	hasher := account.NewHasher(c.BcryptCost, cores, cores*queuePerCore)
	store := postgres.NewStore(db)
	limit := throttle.New(store, c.InternalAPIKey, c.Limits, time.Now)
	sessions := session.NewManager(store, c.RefreshTokenTTL, c.RefreshFamilyTTL, t.Log, time.Now)
	tokens := issuer.New(signing, sessions, c.Issuer, c.Audience, c.AccessTokenTTL)
	accounts := account.New(store, hasher, limit, t.Log)
	catalogue := web.NewClient("the catalogue", c.ProductURL, web.NewHTTPClient(web.RequestTimeout, t))
	forget := func(ctx context.Context, p account.Person) error { // by a token of theirs, of no sign-in
		access, err := tokens.Mint(session.Family{Person: p}, "", time.Now())
		if err == nil {
			_, err = catalogue.Do(ctx, web.Request{Method: http.MethodDelete, Path: "/api/me", Bearer: access}, nil)
		}
		return err
	}
	return api.Dependencies{
		About: health.Service{
			Name: "auth", Description: "Registers people, signs them in and publishes the keys of their tokens.",
			Build: build.Current(), Checks: map[string]health.Check{"database": store.Ready, "keys": signing.Ready},
			Optional: map[string]health.Check{"schema": store.Current},
		},
		Accounts: accounts, Recovery: account.NewRecovery(accounts, store, mails, time.Now),
		Deletions: account.NewDeletions(accounts, store, forget, c.AccessTokenTTL+time.Minute, time.Now),
		Issuer:    tokens, Sessions: sessions,
		Provider:   oidc.NewProvider(store, sessions, tokens, time.Now),
		ConsentURL: c.ConsentURL, InternalKey: c.InternalAPIKey,
	}
}

// check reports every setting that cannot work, at once.
func (c Config) check() error {
	_, flaw := c.sender()
	return check(append(c.rules(),
		rule{!guessable(c.InternalAPIKey), "INTERNAL_API_KEY is short or a default, and who guesses it registers people: " +
			"make one with openssl rand -hex 32"},
		// RFC 8414 section 2, and http for a laptop
		rule{bareURL(c.Issuer), "ISSUER is not an http or https URL without query and fragment"},
		rule{bareURL(c.ConsentURL), "CONSENT_URL is not an http or https URL without query and fragment"},
		rule{bareURL(c.ProductURL), "PRODUCT_URL is not an http or https URL without query and fragment"},
		rule{c.Audience != "", "AUDIENCE is empty"},
		rule{c.RefreshTokenTTL >= time.Second, "REFRESH_TOKEN_TTL is under 1s"},
		rule{c.RefreshFamilyTTL >= c.RefreshTokenTTL, "REFRESH_FAMILY_TTL is under REFRESH_TOKEN_TTL"},
		rule{min(c.PairFree, c.AccountFree, c.AddressFree, c.RegisterFree) >= 1,
			"a THROTTLE_…_FREE is under 1: nobody could sign in"},
		rule{c.First > 0 && c.First <= c.Admission && c.Admission <= c.Most,
			"THROTTLE_FIRST is not above 0, or over THROTTLE_ADMISSION, or that over THROTTLE_MOST"},
		rule{account.ValidCost(c.BcryptCost), "BCRYPT_COST is not from 4 to 31"},
		rule{flaw == nil, fmt.Sprint(flaw)},
	))
}

func bareURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(text, "?#")
}

// guessable reports whether a key has under 16 bytes without the words that
// people write where a secret belongs.
func guessable(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{
		"changeme", "change-me", "change_me", "secret", "internal", "default", "password", "example",
		"craftista", "api", "key", "0123456789", "1234567890",
	} {
		key = strings.ReplaceAll(key, word, "")
	}
	return len(strings.TrimSpace(key)) < 16
}

// rule is a condition on settings, and what is wrong if it does not hold.
type rule struct {
	holds bool
	flaw  string
}

func check(rules []rule) error {
	var flaws []string
	for _, rule := range rules {
		if !rule.holds {
			flaws = append(flaws, "  "+rule.flaw)
		}
	}
	if len(flaws) > 0 {
		return fmt.Errorf("invalid settings:\n%s", strings.Join(flaws, "\n"))
	}
	return nil
}
