package api_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/product/internal/api"
	"craftista/product/internal/core"
	"craftista/product/internal/infrastructure/cache"
	"craftista/product/internal/infrastructure/postgres"
	"craftista/shared/build"
	"craftista/shared/health"
	"craftista/shared/netfault"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"
	"craftista/shared/web"

	"github.com/jmoiron/sqlx"
	"go.opentelemetry.io/otel/trace/noop"
)

// proxied is the same gallery as seen by a replica that reaches the database
// through the proxy.
func (g *gallery) proxied(t *testing.T) (*gallery, *netfault.Proxy) {
	t.Helper()
	proxy := startProxy(t, g.url)
	url := proxy.URL(g.url)
	return &gallery{db: open(t, url), url: url, adminURL: g.adminURL, issuer: g.issuer}, proxy
}

// startProxy starts a proxy to target, which ends with the test.
func startProxy(t *testing.T, target string) *netfault.Proxy {
	t.Helper()
	proxy := netfault.New(target)
	t.Cleanup(proxy.Close)
	return proxy
}

// gallery is a database and an issuer of tokens, for any number of services.
type gallery struct {
	db       *sqlx.DB
	url      string // of db
	adminURL string
	issuer   *tokentest.Issuer
}

func newGallery(t *testing.T) *gallery {
	t.Helper()
	database := pgtest.New(t)
	return &gallery{
		db: open(t, database.ProductURL), url: database.ProductURL, adminURL: database.AdminURL, issuer: tokentest.New(t),
	}
}

func open(t *testing.T, url string) *sqlx.DB {
	t.Helper()
	db, err := pg.Open(url, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

const (
	redisTimeout = 10 * time.Second // more than a busy test machine needs
	shortTimeout = time.Second      // where tests wait for it to pass; enough for a busy machine to have hits
)

// openCache opens the cache of one replica.
func (g *gallery) openCache(t *testing.T, redisURL string) *cache.Cache {
	t.Helper()
	return g.openCacheWith(t, cache.Options{RedisURL: redisURL, RedisTimeout: redisTimeout})
}

func (g *gallery) openCacheWith(t *testing.T, o cache.Options) *cache.Cache {
	t.Helper()
	o.DatabaseURL, o.DB, o.Telemetry = g.url, g.db, telemetry.Discard()
	c, err := cache.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// service is one replica over the gallery's database.
func (g *gallery) service(cached core.Cache) *web.Router {
	return g.serviceOn(postgres.NewStore(g.db), cached)
}

func (g *gallery) serviceOn(store core.Store, cached core.Cache) *web.Router {
	about := health.Service{
		Name: "product", Description: "the catalogue", Build: build.Info{Version: "v-test"},
		Checks: map[string]health.Check{"database": postgres.NewStore(g.db).Ready},
	}
	broadcaster := core.NewCountBroadcaster(postgres.NewStore(g.db), slog.New(slog.DiscardHandler))
	catalogue := core.NewCatalogue(store, cached, api.Encode, noop.NewTracerProvider().Tracer(""), broadcaster.Notify)
	return api.Routes(telemetry.Discard(), catalogue, broadcaster, g.issuer.Verifier(), about)
}

// addProduct adds a product of that name and age and returns its id.
func (g *gallery) addProduct(t *testing.T, name string, created time.Time) int64 {
	t.Helper()
	const query = `
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper, created_at, updated_at)
		VALUES ($1, 'Flies.', '/static/crane.svg', 'easy', 21, '15 cm square', $2, $2)
		RETURNING id`
	return g.number(t, query, name, created)
}

// addVotes makes so many users, from 1 on, have voted for the product.
func (g *gallery) addVotes(t *testing.T, id int64, users int) {
	t.Helper()
	mustExec(t, g, `INSERT INTO product.votes SELECT person, $1 FROM generate_series(1, $2) AS person`, id, users)
}

// number is the one number that a query finds.
func (g *gallery) number(t *testing.T, query string, args ...any) (n int64) {
	t.Helper()
	if err := g.db.GetContext(t.Context(), &n, query, args...); err != nil {
		t.Fatal(err)
	}
	return n
}

// voters counts the rows of the product's votes.
func (g *gallery) voters(t *testing.T, id int64) int64 {
	t.Helper()
	return g.number(t, `SELECT count(*) FROM product.votes WHERE product_id = $1`, id)
}

func (g *gallery) token(userID int64) string { return g.issuer.Mint(userID, token.RoleUser) }

// atOnce runs do(0), …, do(n-1) from one moment on and waits for all.
func atOnce(n int, do func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	wg.Wait()
}

func day(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 123456000, time.UTC) }

// call makes a request without a body; bearer "" sends no token.
func call(t *testing.T, h http.Handler, method, target, bearer string) *httptest.ResponseRecorder {
	return send(t, h, method, target, bearer, "", "")
}

// body decodes a JSON reply of that status. Like call it never ends the test.
func body[T any](t *testing.T, w *httptest.ResponseRecorder, status int) T {
	t.Helper()
	var v T
	if w.Code != status {
		t.Errorf("status %d, want %d, body %s", w.Code, status, w.Body)
	} else if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Errorf("decode %q: %v", w.Body, err)
	}
	return v
}

func path(id int64, suffix string) string {
	return "/api/origamis/" + strconv.FormatInt(id, 10) + suffix
}

type product struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url"`
	Votes       int64  `json:"votes"`
	Difficulty  string `json:"difficulty"`
	Folds       int    `json:"folds"`
	Paper       string `json:"paper"`
	Maker       string `json:"maker"`

	InstructionsURL string `json:"instructions_url"`

	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

type count struct {
	OrigamiID int64 `json:"origami_id"`
	Votes     int64 `json:"votes"`
}

type voteReply struct {
	OrigamiID    int64  `json:"origami_id"`
	NewVoteCount int64  `json:"new_vote_count"`
	Message      string `json:"message"`
	Voted        bool   `json:"voted"`
}

type problem struct {
	Detail   string  `json:"detail"`
	Instance string  `json:"instance"`
	TraceID  string  `json:"trace_id"`
	Errors   []field `json:"errors"`
}

type field struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}
