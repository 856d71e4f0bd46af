package api_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/api"
	"craftista/auth/internal/keys"
	"craftista/auth/internal/oidc"
	"craftista/auth/internal/postgres"
	"craftista/auth/internal/throttle"
	"craftista/auth/internal/token"
	"craftista/db/pgtest"
	"craftista/shared/fault"
	"craftista/shared/health"
	"craftista/shared/openapi/openapitest"
	"craftista/shared/pg"
	"craftista/shared/telemetry"

	"github.com/jmoiron/sqlx"
)

const (
	internalKey = "the-internal-key"
	audience    = "craftista"
	password    = "seven paper cranes"
	day         = 24 * time.Hour
	consentURL  = "http://localhost:3000/authorize"
)

// service is auth as its callers see it, over HTTP and on a database of its own,
// with every exchange held to the OpenAPI document.
type service struct {
	URL      string
	router   http.Handler // the same without HTTP and document, for fuzzing
	db       *sqlx.DB
	admin    *sqlx.DB // the same database, as its owner
	logs     *log
	contract *openapitest.Contract
}

// setup changes what start makes. The zero value is a service that hashes as
// cheaply as bcrypt can, with a key of its own.
type setup struct {
	hasher      *account.Hasher
	keyDir      string
	keep        time.Duration // see keys.Open
	lifetime    time.Duration // of access tokens, 15 min if 0
	watch       time.Duration // how often to look for new keys, never if 0
	databaseURL string
	now         func() time.Time
	limits      throttle.Limits // zero throttles nobody
	url         func(string)    // is told the service's URL before it reads its keys
}

func start(t testing.TB, s setup) *service {
	t.Helper()
	var database pgtest.Database
	if s.databaseURL == "" {
		database = *pgtest.New(t)
	}
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	if s.url != nil {
		s.url(url)
	}
	logs := &log{}
	tel, err := telemetry.New(t.Context(), "auth", "test", telemetry.Options{Log: slog.NewJSONHandler(logs, nil)})
	if err != nil {
		t.Fatal(err)
	}
	signing, err := keys.Open(cmp.Or(s.keyDir, t.TempDir()+"/keys"), s.keep)
	if err != nil {
		t.Fatal(err)
	}
	if s.watch > 0 {
		var watching sync.WaitGroup
		watching.Go(func() { signing.Watch(t.Context(), s.watch, tel.Log) })
		t.Cleanup(watching.Wait) // t.Context() ends before
	}
	db := open(t, cmp.Or(s.databaseURL, database.AuthURL))
	store := postgres.NewStore(db)
	hasher := s.hasher
	if hasher == nil {
		hasher = account.NewHasher(4, runtime.GOMAXPROCS(0), 64)
	}
	now := s.now
	if now == nil {
		now = time.Now
	}
	limits := s.limits
	if limits == (throttle.Limits{}) {
		limits = throttle.Limits{PairFree: 1e6, AccountFree: 1e6, AddressFree: 1e6, RegisterFree: 1e6}
	}
	limit := throttle.New(postgres.NewThrottle(db), internalKey, limits, now)
	about := health.Service{
		Name: "auth", Description: "under test", Version: "test", Checks: map[string]health.Check{"database": store.Ready},
	}
	issuer := token.NewIssuer(signing, url, audience, cmp.Or(s.lifetime, 15*time.Minute))
	families := token.NewFamilies(postgres.NewFamilies(db), 30*day, 90*day, tel.Log, now)
	router := api.Routes(tel, about, account.New(store, hasher, limit, tel.Log), issuer, families,
		oidc.NewProvider(postgres.NewClients(db), families, issuer, now), consentURL, internalKey)
	contract := openapitest.New(t, api.Spec(), router)
	server.Config.Handler = contract.Handler(router)
	server.Start()
	t.Cleanup(server.Close)
	return &service{URL: url, router: router, db: db, admin: open(t, cmp.Or(database.AdminURL, s.databaseURL)), logs: logs, contract: contract}
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

// answer is a response that has been read.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// request asks the service; body is sent as JSON text unless it is empty.
func (s *service) request(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err) // may be called from a goroutine, where Fatal may not
		return answer{}
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return answer{Status: res.StatusCode, Header: res.Header, Body: string(text)}
}

func (s *service) get(t *testing.T, path string, headers ...string) answer {
	t.Helper()
	return s.request(t, http.MethodGet, path, "", headers...)
}

type registration struct {
	Username string `json:"username"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

func (s *service) register(t *testing.T, username, email, password string) answer {
	t.Helper()
	return s.request(t, http.MethodPost, "/api/auth/register", text(t, registration{username, email, password}), "X-Internal-API-Key", internalKey)
}

func (s *service) login(t *testing.T, name, password string) answer {
	t.Helper()
	return s.request(t, http.MethodPost, "/api/auth/login", text(t, map[string]string{"username": name, "password": password}))
}

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

// tokens are what login and refresh reply.
type tokens struct {
	Access           string `json:"access_token"`
	Type             string `json:"token_type"`
	ExpiresIn        int64  `json:"expires_in"`
	Refresh          string `json:"refresh_token"`
	RefreshExpiresIn int64  `json:"refresh_expires_in"`
}

// tokens signs in the person that person registered.
func (s *service) tokens(t *testing.T) tokens {
	t.Helper()
	a := s.login(t, "Crane", password)
	if a.Status != http.StatusOK {
		t.Fatalf("login: %d %s", a.Status, a.Body)
	}
	return read[tokens](t, a)
}

// signIn returns an access token of the person that person registered.
func (s *service) signIn(t *testing.T) string {
	t.Helper()
	return s.tokens(t).Access
}

func (s *service) refresh(t *testing.T, raw string) answer {
	t.Helper()
	return s.request(t, http.MethodPost, refreshPath, text(t, map[string]string{"refresh_token": raw}))
}

func (s *service) logout(t *testing.T, raw string) answer {
	t.Helper()
	return s.request(t, http.MethodPost, logoutPath, text(t, map[string]string{"refresh_token": raw}))
}

func (s *service) exec(t *testing.T, db *sqlx.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(context.WithoutCancel(t.Context()), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// problem is what of a problem is the same each time.
type problem struct {
	Type     string        `json:"type"`
	Title    string        `json:"title"`
	Status   int           `json:"status"`
	Detail   string        `json:"detail"`
	Instance string        `json:"instance"`
	Errors   []fault.Field `json:"errors"`
}

func problemOf(status int, path, detail string, fields ...fault.Field) problem {
	return problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Instance: path, Errors: fields}
}

func read[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.Body), &v); err != nil {
		t.Errorf("read %q: %v", a.Body, err)
	}
	return v
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
