package web_test

import (
	"cmp"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"craftista/shared/telemetry"
	"craftista/shared/web"
)

// newRouter returns a router of JSON problems with that telemetry, which logs nowhere unless it is told.
func newRouter(t *testing.T, o telemetry.Options) *web.Router {
	t.Helper()
	o.Log = cmp.Or[slog.Handler](o.Log, slog.DiscardHandler)
	tel, err := telemetry.New(t.Context(), "test", "", o)
	if err != nil {
		t.Fatal(err)
	}
	return web.NewRouter(tel, web.Problem)
}

// send is what h answers to a request without a body.
func send(h http.Handler, method, target string) *httptest.ResponseRecorder {
	res := httptest.NewRecorder()
	h.ServeHTTP(res, httptest.NewRequest(method, target, nil))
	return res
}

// ok is a handler that succeeds.
func ok(w http.ResponseWriter, _ *http.Request) error { return web.Reply(w, http.StatusOK, "ok") }

// get is the body of url, or the error.
func get(url string) string {
	res, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
