package recommendation_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"craftista/db/pgtest"
	"craftista/recommendation"
	"craftista/shared/config"

	"github.com/google/go-cmp/cmp"
)

func TestRunServesUntilItIsToldToStop(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := recommendation.Default()
	c.DatabaseURL, c.Log, c.Listener = pgtest.New(t).RecommendationURL, slog.DiscardHandler, l
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- recommendation.Run(ctx, c) }()

	// The listener is open already: the request waits for the server.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, want := range map[string]string{
		"/readyz": `"database":"ok","schema":"ok"`, "/": `"service":"recommendation"`,
	} {
		res, err := client.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: got status %d, %s (%v), want 200 with %s", path, res.StatusCode, body, err, want)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("got %v, want a clean stop", err)
	}
}

func TestRunNeedsADatabaseURL(t *testing.T) {
	t.Parallel()
	c := recommendation.Default()
	c.DatabaseURL, c.Addr, c.Log = "mysql://root:hidden@localhost/x", "127.0.0.1:0", slog.DiscardHandler
	const want = "read database URL: it is not of the form postgres://role:password@host:port/database"
	if err := recommendation.Run(t.Context(), c); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	_, err := config.Load(recommendation.Default(), nil)
	if err == nil || !strings.Contains(err.Error(), "DATABASE_URL is not set") {
		t.Errorf("got %v, want DATABASE_URL is not set", err)
	}
	environ := []string{"DATABASE_URL=postgres://x", "ISSUER=https://auth.example", "ADDR=:9"}
	got, err := config.Load(recommendation.Default(), environ)
	if err != nil {
		t.Fatal(err)
	}
	want := recommendation.Default()
	want.DatabaseURL, want.Issuer, want.Addr = "postgres://x", "https://auth.example", ":9"
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("settings (-got +want):\n%s", diff)
	}
}
