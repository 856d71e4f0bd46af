package auth_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/auth"
	"craftista/shared/service"
	"craftista/shared/waittest"
)

const registration = `{"username":"Crane","email":"crane@example.com","password":"seven paper cranes"}`

// settings are valid, but for the database, which does not exist.
func settings(t *testing.T) auth.Config {
	t.Helper()
	c := auth.Default()
	c.Log = slog.DiscardHandler
	c.DatabaseURL = "postgres://craftista_auth@127.0.0.1:1/craftista"
	c.KeysSecret = "5a1e90c47bd2386f"
	c.InternalAPIKey = "0b6fd7c11eacf0a9" // 16 bytes are enough
	c.AccessTokenTTL = time.Minute
	c.BcryptCost = 4
	return c
}

// run starts the service on a free port and returns its URL once it is ready. It is
// stopped when the test ends, or by stop.
func run(t *testing.T, c auth.Config) (url string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Listener = l
	c.Issuer = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- auth.Run(ctx, c) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	t.Cleanup(stop)
	waittest.Until(t, "auth is ready", func() bool { return service.Probe(t.Context(), c.Issuer+"/readyz") == nil })
	return c.Issuer, stop
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, body := do(t, r)
	return body
}

// post sends a JSON body; headers are names and values.
func post(t *testing.T, url, body string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return do(t, r)
}

func do(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
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

// program runs the command line with that environment.
func program(environ ...string) func(args string) (code int, stdout, stderr string) {
	return func(args string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		code := auth.Main(strings.Fields(args), environ, &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
}
