package recommendation_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/recommendation"
	"craftista/shared/config"

	"github.com/google/go-cmp/cmp"
)

func TestRunServesUntilItIsToldToStop(t *testing.T) {
	t.Parallel()
	c := recommendation.Default()
	c.DatabaseURL, c.Log, c.Listener = pgtest.New(t).RecommendationURL, slog.DiscardHandler, listen(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- recommendation.Run(ctx, c) }()

	// The listener is open already: the request waits for the server.
	client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + c.Listener.Addr().String() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("got status %d, want 200", res.StatusCode)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("got %v, want a clean stop", err)
	}
}

func TestRunNeedsWhatItCannotServeWithout(t *testing.T) {
	t.Parallel()
	taken := listen(t).Addr().String()
	tests := []struct {
		name, url, addr, want string
	}{
		{"a database URL", "mysql://root:hidden@localhost/x", "127.0.0.1:0", "read database URL: it is not of the form postgres://role:password@host:port/database"},
		{"a free address", "postgres://role:hidden@localhost/x", taken, "listen on " + taken + ": listen tcp " + taken + ": bind: address already in use"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := recommendation.Default()
			c.DatabaseURL, c.Addr, c.Log = tt.url, tt.addr, slog.DiscardHandler
			if err := recommendation.Run(t.Context(), c); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	if _, err := config.Load(recommendation.Default(), nil); err == nil || err.Error() != "settings to mend:\n  DATABASE_URL is not set" {
		t.Errorf("got %v, want DATABASE_URL is not set", err)
	}
	got, err := config.Load(recommendation.Default(), []string{"DATABASE_URL=postgres://x", "ISSUER=https://auth.example", "ADDR=:9"})
	if err != nil {
		t.Fatal(err)
	}
	want := recommendation.Default()
	want.DatabaseURL, want.Issuer, want.Addr = "postgres://x", "https://auth.example", ":9"
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("settings (-got +want):\n%s", diff)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
