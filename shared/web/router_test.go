package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"craftista/shared/fault"
	"craftista/shared/telemetry"
	"craftista/shared/web"

	"github.com/google/go-cmp/cmp"
)

// errStore is an error by which a store says that it is unavailable.
var errStore = errors.New("secret: the store is unavailable")

// outcome is a way in which a handler can end.
type outcome struct {
	name    string
	handler web.Handler
	status  int
	detail  string
	header  string // "Name: value" that the response has; may be empty
}

func outcomes() []outcome {
	const unavailable = "a service that this needs is not responding, try again shortly"
	const wrong = "something went wrong here"
	made := func(w http.ResponseWriter, _ *http.Request) error { return web.Reply(w, 201, "made") }
	panics := func(http.ResponseWriter, *http.Request) error { panic("secret") }
	fails := func(err error) web.Handler {
		return func(http.ResponseWriter, *http.Request) error { return err }
	}
	query := func(err error) web.Handler { return fails(fmt.Errorf("query: %w", err)) }
	invalid := &fault.Error{Kind: fault.Unauthenticated, Message: "who", Code: "invalid_token"}
	throttled := &fault.Error{Kind: fault.Throttled, Message: "slow down", RetryAfter: 1500 * time.Millisecond}
	return []outcome{
		{"success", made, 201, "", "Cache-Control: no-store"},
		{"not found", fails(fault.New(fault.NotFound, "no origami 7")), 404, "no origami 7", ""},
		{"wrapped fault", query(fault.New(fault.Conflict, "taken")), 409, "taken", ""},
		{"no credentials", fails(invalid), 401, "who", `Www-Authenticate: Bearer error="invalid_token"`},
		{"no credentials, no code", fails(fault.New(fault.Unauthenticated, "who")), 401, "who", "Www-Authenticate: Bearer"},
		{"throttled", fails(throttled), 429, "slow down", "Retry-After: 2"},
		{"plain error", fails(errors.New("select password: secret")), 500, wrong, ""},
		{"panic", panics, 500, wrong, ""},
		{"deadline", query(context.DeadlineExceeded), 503, unavailable, "Retry-After: 2"},
		{"network", fails(&net.OpError{Op: "dial", Err: errors.New("secret")}), 503, unavailable, ""},
		{"connection closed", query(io.EOF), 503, unavailable, ""},
		{"store unavailable", query(errStore), 503, unavailable, "Retry-After: 2"},
		{"a fault about the store", fails(fault.New(fault.Conflict, "taken").Because(errStore)), 409, "taken", ""},
	}
}

func TestHandlerOutcomes(t *testing.T) {
	t.Parallel()
	for _, row := range outcomes() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fail := web.ProblemWith(func(err error) bool { return errors.Is(err, errStore) })
			r := web.NewRouter(telemetry.Discard(), fail)
			r.Get("/piece", row.handler)
			res := send(r, "GET", "/piece")
			if got, want := res.Code, row.status; got != want {
				t.Errorf("status %d, want %d", got, want)
			}
			if name, want, _ := strings.Cut(row.header, ": "); res.Header().Get(name) != want {
				t.Errorf("%s is %q, want %q", name, res.Header().Get(name), want)
			}
			if id := res.Header().Get("Trace-Id"); len(id) != 32 {
				t.Errorf("trace id %q, want 32 hex digits", id)
			}
			if got := res.Header().Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options is %q", got)
			}
			if strings.Contains(res.Body.String(), "secret") {
				t.Errorf("the body leaks: %s", res.Body)
			}
			if row.detail == "" {
				return
			}
			want := map[string]any{
				"type": "about:blank", "title": http.StatusText(row.status), "status": float64(row.status),
				"detail": row.detail, "instance": "/piece", "trace_id": res.Header().Get("Trace-Id"),
			}
			var got map[string]any
			if err := json.Unmarshal(res.Body.Bytes(), &got); err != nil {
				t.Fatalf("body %q: %v", res.Body, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("problem (-want +got):\n%s", diff)
			}
			if media := res.Header().Get("Content-Type"); media != "application/problem+json" {
				t.Errorf("media type %q", media)
			}
		})
	}
}

func TestUnknownPathsAndMethodsAreProblemsToo(t *testing.T) {
	t.Parallel()
	r := web.NewRouter(telemetry.Discard(), web.Problem)
	r.Get("/piece/{id}", ok)
	r.Put("/piece/{id}", ok)
	for _, row := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/nowhere", 404, ""},
		{"GET", "/a%00%20b", 404, ""},
		{"POST", "/piece/1", 405, "GET, HEAD, PUT"},
		{"HEAD", "/piece/1", 200, ""},
		{"FOO", "/nowhere", 404, ""},
		{"FOO", "/piece/1", 405, "GET, HEAD, PUT"},
		{"DELETE", "/piece/%2F", 405, "GET, HEAD, PUT"},
	} {
		res := send(r, row.method, row.path)
		if res.Code != row.status || res.Header().Get("Allow") != row.allow {
			t.Errorf("%+v: %d, Allow %q", row, res.Code, res.Header().Get("Allow"))
		}
		if row.status >= 400 && res.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: media type %q", row.method, row.path, res.Header().Get("Content-Type"))
		}
		if row.status >= 400 && !strings.Contains(res.Body.String(), `"instance":"`+row.path+`"`) { // a URI reference
			t.Errorf("%s %s: body %s", row.method, row.path, res.Body)
		}
	}
}

func TestQueryThatCannotBeReadIsABadRequest(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"?limit=%zz", "?limit=2;foo"} {
		if _, err := web.Query(httptest.NewRequest("GET", "/"+query, nil)); fault.KindOf(err) != fault.BadRequest {
			t.Errorf("%s: %v", query, err)
		}
	}
	if q, err := web.Query(httptest.NewRequest("GET", "/?limit=2&x=", nil)); err != nil || q.Get("limit") != "2" {
		t.Errorf("got %v, %v", q, err)
	}
}

// TestGetTimeout bounds the GETs registered while it is set, and nothing else.
func TestGetTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		router := web.NewRouter(telemetry.Discard(), web.Problem)
		left := map[string]time.Duration{}
		note := func(w http.ResponseWriter, r *http.Request) error {
			end, _ := r.Context().Deadline()
			left[r.Method+" "+r.URL.Path] = time.Until(end)
			return web.Reply(w, http.StatusOK, "ok")
		}
		router.Get("/before", note)
		router.GetTimeout = time.Second
		router.Get("/after", note)
		router.Post("/after", note)
		for what, want := range map[string]time.Duration{
			"GET /before": web.RequestTimeout, "GET /after": time.Second, "HEAD /after": time.Second,
			"POST /after": web.RequestTimeout,
		} {
			method, path, _ := strings.Cut(what, " ")
			send(router, method, path)
			if got := left[what]; got != want {
				t.Errorf("%s: %s left, want %s", what, got, want)
			}
		}
	})
}
