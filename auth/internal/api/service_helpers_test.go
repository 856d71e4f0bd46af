package api_test

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
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
	"craftista/db/pgtest"
	"craftista/shared/build"
	"craftista/shared/health"
	"craftista/shared/openapi/openapitest"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/shared/waittest"

	"github.com/jmoiron/sqlx"
)

const (
	internalKey = "the-internal-key"
	audience    = "craftista"
	password    = "seven paper cranes"
	day         = 24 * time.Hour
	siteURL     = "http://localhost:3000"
	consentURL  = siteURL + "/authorize"
)

// service is auth as its callers see it, over HTTP and on a database of its own,
// with every exchange checked against the OpenAPI document.
type service struct {
	URL      string
	router   http.Handler // the same without HTTP and document, for fuzzing
	db       *sqlx.DB
	admin    *sqlx.DB // the same database, as its owner
	logs     *log
	contract *openapitest.Contract

	deletions *account.Deletions // which the test runs
}

// setup changes what start makes. The zero value is a service that hashes as
// cheaply as bcrypt can, with a key of its own.
type setup struct {
	hasher      *account.Hasher
	databaseURL string
	now         func() time.Time
	limits      throttle.Limits // zero throttles nobody
	sender      mail.Sender     // nil sends no mail
	forget      func(account.Person) error
}

func start(t testing.TB, s setup) *service {
	t.Helper()
	var database pgtest.Database
	if s.databaseURL == "" {
		database = *pgtest.New(t)
	}
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	logs := &log{}
	tel, err := telemetry.New(t.Context(), "auth", "test", telemetry.Options{Log: slog.NewJSONHandler(logs, nil)})
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, cmp.Or(s.databaseURL, database.AuthURL))
	signing := openKeys(t, db)
	mails := mail.NewQueue(s.sender, siteURL, nil, tel)
	t.Cleanup(func() { _ = mails.Close() }) // never fails
	dependencies := s.dependencies(db, tel, signing, url, mails)
	router := api.Routes(tel, dependencies)
	router.Timeout = waittest.Timeout
	contract := openapitest.New(t, api.Spec(), router)
	server.Config.Handler = contract.Handler(router)
	server.Start()
	t.Cleanup(server.Close)
	admin := open(t, cmp.Or(database.AdminURL, s.databaseURL))
	return &service{
		URL: url, router: router, db: db, admin: admin, logs: logs, contract: contract, deletions: dependencies.Deletions,
	}
}

const keysSecret = "of these tests"

// openKeys are the keys of the database, which it reads once; there are none without a database.
func openKeys(t testing.TB, db *sqlx.DB) *keys.Set {
	t.Helper()
	signing, err := keys.New(postgres.NewStore(db), keysSecret, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if db.PingContext(t.Context()) != nil {
		return signing
	}
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { signing.Watch(ctx, time.Hour, slog.New(slog.DiscardHandler)) })
	waittest.Until(t, "the signing keys are read", func() bool { return signing.Ready(t.Context()) == nil })
	stop()
	watching.Wait()
	return signing
}

func (s setup) dependencies(
	db *sqlx.DB, tel *telemetry.Telemetry, signing *keys.Set, url string, mails *mail.Queue,
) api.Dependencies {
	if s.now == nil {
		s.now = time.Now
	}
	if s.hasher == nil {
		s.hasher = account.NewHasher(4, runtime.GOMAXPROCS(0), 64)
	}
	if s.limits == (throttle.Limits{}) {
		s.limits = throttle.Limits{PairFree: 1e6, AccountFree: 1e6, AddressFree: 1e6, RegisterFree: 1e6}
	}
	store := postgres.NewStore(db)
	limit := throttle.New(store, internalKey, s.limits, s.now)
	sessions := session.NewManager(store, 30*day, 90*day, tel.Log, s.now)
	tokens := issuer.New(signing, sessions, url, audience, 15*time.Minute)
	accounts := account.New(store, s.hasher, limit, tel.Log)
	forget := func(_ context.Context, p account.Person) error { return s.forget(p) }
	return api.Dependencies{
		About: health.Service{
			Name: "auth", Description: "under test", Build: build.Info{Version: "test"},
			Checks: map[string]health.Check{"database": store.Ready},
		},
		Accounts: accounts, Recovery: account.NewRecovery(accounts, store, mails, s.now),
		Deletions: account.NewDeletions(accounts, store, forget, 16*time.Minute, s.now),
		Issuer:    tokens, Sessions: sessions,
		Provider:   oidc.NewProvider(store, sessions, tokens, s.now),
		ConsentURL: consentURL, InternalKey: internalKey,
	}
}

func open(t testing.TB, url string) *sqlx.DB {
	t.Helper()
	db, err := pg.Open(url, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// log is what the service logged.
type log struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// clock is a service's now, moved by hand, in the microseconds that PostgreSQL stores.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	var c clock
	c.micros.Store(time.Now().UnixMicro())
	return &c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()) }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// person registers Crane, whose password is the constant, and returns the id.
func (s *service) person(t *testing.T) int64 {
	t.Helper()
	a := s.register(t, "Crane", "Crane@Example.com", password)
	if a.Status != http.StatusOK {
		t.Fatalf("register: %d %s", a.Status, a.Body)
	}
	return read[struct {
		ID int64 `json:"user_id"`
	}](t, a).ID
}

// startWithCrane starts a service with that person.
func startWithCrane(t *testing.T) *service {
	t.Helper()
	s := start(t, setup{})
	s.person(t)
	return s
}

// startWithClock starts a service with that person and a clock.
func startWithClock(t *testing.T) (*service, *clock) {
	t.Helper()
	clock := newClock()
	s := start(t, setup{now: clock.now})
	s.person(t)
	return s, clock
}
