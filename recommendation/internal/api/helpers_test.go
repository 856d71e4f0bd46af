package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/recommendation/internal/api"
	"craftista/recommendation/internal/postgres"
	"craftista/recommendation/internal/recommend"
	"craftista/shared/build"
	"craftista/shared/fault"
	"craftista/shared/health"
	"craftista/shared/openapi/openapitest"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/shared/token/tokentest"
	"craftista/shared/web"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
)

// fixture is what replicas of the service share: a database and an issuer of tokens.
type fixture struct {
	url    string // the service's own role
	admin  *sqlx.DB
	issuer *tokentest.Issuer
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	d := pgtest.New(t)
	return &fixture{url: d.RecommendationURL, admin: open(t, d.AdminURL), issuer: tokentest.New(t)}
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

func (f *fixture) store(t *testing.T) *postgres.Store {
	t.Helper()
	return postgres.NewStore(open(t, f.url))
}

// router is one replica of the service.
func (f *fixture) router(t *testing.T, now func() time.Time) *web.Router {
	t.Helper()
	store := f.store(t)
	return f.routerOn(store, map[string]health.Check{"database": store.Ready}, now)
}

func (f *fixture) routerOn(s recommend.Store, checks map[string]health.Check, now func() time.Time) *web.Router {
	about := health.Service{Name: "recommendation", Build: build.Info{Version: "1.2.3"}, Checks: checks}
	return api.Routes(telemetry.Discard(), s, f.issuer.Verifier(), about, now)
}

// replica is router with every exchange held to the OpenAPI document.
func (f *fixture) replica(t *testing.T, now func() time.Time) http.Handler {
	t.Helper()
	router := f.router(t, now)
	return contract(t, router).Handler(router)
}

func contract(t *testing.T, router *web.Router) *openapitest.Contract {
	t.Helper()
	return openapitest.New(t, get(t, router, "/openapi.json").Body.Bytes(), router)
}

func (f *fixture) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := f.admin.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// addProducts adds n products, whose ids continue from the last one's.
func (f *fixture) addProducts(t *testing.T, n int) {
	t.Helper()
	f.exec(t, `
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper, created_at, updated_at)
		SELECT 'Model', 'A model.', '/model.svg', 'easy', 20, '15 cm', '2026-01-02T03:04:05Z', '2026-01-02T03:04:06Z'
		FROM generate_series(1, $1)`, n)
}

// Product is what all answers say of one.
type Product struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url"`
	Votes       int64  `json:"votes"`
}

// productOf is a product that addProducts made.
func productOf(id, votes int64) Product { return Product{id, "Model", "A model.", "/model.svg", votes} }

func (f *fixture) vote(t *testing.T, person int64, products ...int64) {
	t.Helper()
	for _, id := range products {
		f.exec(t, `INSERT INTO product.votes (person_id, product_id) VALUES ($1, $2)`, person, id)
	}
}

// clock always tells the same time.
func clock(t *testing.T, text string) func() time.Time {
	t.Helper()
	now, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return func() time.Time { return now }
}

// movingClock tells the time that it was set to last.
type movingClock struct{ at atomic.Pointer[time.Time] }

func newClock(t *testing.T, text string) *movingClock {
	t.Helper()
	c := &movingClock{}
	c.set(clock(t, text)())
	return c
}

func (c *movingClock) now() time.Time          { return *c.at.Load() }
func (c *movingClock) set(to time.Time)        { c.at.Store(&to) }
func (c *movingClock) advance(d time.Duration) { c.set(c.now().Add(d)) }

// get sends a GET to h, with headers given as name, value, name, value.
func get(t *testing.T, h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return send(t, h, http.MethodGet, target, headers...)
}

func send(t *testing.T, h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res := httptest.NewRecorder()
	h.ServeHTTP(res, r)
	return res
}

// ok is the decoded body of a 200.
func ok[T any](t *testing.T, res *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if res.Code != http.StatusOK {
		t.Fatalf("got status %d, want 200; body %s", res.Code, res.Body)
	}
	decode(t, res, &v)
	return v
}

func decode(t *testing.T, res *httptest.ResponseRecorder, into any) {
	t.Helper()
	if err := json.Unmarshal(res.Body.Bytes(), into); err != nil {
		t.Fatalf("status %d, body %s: %v", res.Code, res.Body, err)
	}
}

type problem struct {
	Type     string        `json:"type"`
	Title    string        `json:"title"`
	Status   int           `json:"status"`
	Detail   string        `json:"detail"`
	Instance string        `json:"instance"`
	TraceID  string        `json:"trace_id"`
	Errors   []fault.Field `json:"errors"`
}

// wantProblem checks every field of a failure at path.
func wantProblem(
	t *testing.T, res *httptest.ResponseRecorder, path string, status int, detail string, fields ...fault.Field,
) {
	t.Helper()
	var got problem
	decode(t, res, &got)
	want := problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail,
		Instance: path, TraceID: res.Header().Get("Trace-Id"), Errors: fields,
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("problem (-got +want):\n%s", diff)
	}
	wantHeaders(t, res, "Content-Type", "application/problem+json", "Cache-Control", "no-store")
	if res.Code != status {
		t.Errorf("got status %d, want %d", res.Code, status)
	}
}

// wantHeaders checks headers given as name, value, name, value.
func wantHeaders(t *testing.T, res *httptest.ResponseRecorder, want ...string) {
	t.Helper()
	for i := 0; i < len(want); i += 2 {
		if got := res.Header().Get(want[i]); got != want[i+1] {
			t.Errorf("got %s %q, want %q", want[i], got, want[i+1])
		}
	}
}
