package frontend_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"craftista/frontend"
	"craftista/shared/config"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	got, err := config.Load(frontend.Default(), []string{"INTERNAL_API_KEY=k"})
	if err != nil {
		t.Fatal(err)
	}
	want := frontend.Default()
	want.InternalAPIKey = "k"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if want.Addr != ":3000" || want.AuthURL != "http://localhost:8082" || want.ProductURL != "http://localhost:8000" ||
		want.RecommendationURL != "http://localhost:8080" {
		t.Errorf("defaults %+v", want)
	}
	_, err = config.Load(frontend.Default(), []string{"COOKIE_SECURE=perhaps"})
	if err == nil || !strings.Contains(err.Error(), "INTERNAL_API_KEY is not set") || !strings.Contains(err.Error(),
		"COOKIE_SECURE is not true or false") {
		t.Errorf("got %v", err)
	}
}

func TestPublicURLIsAnOrigin(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"origami.example", "//origami.example", "ftp://origami.example", "https://",
		"https://origami.example/path", "https://a@b.example", "https://b.example?x", "javascript:alert(1)"} {
		c := frontend.Default()
		c.PublicURL = bad
		if err := frontend.Run(t.Context(), c); err == nil || !strings.HasPrefix(err.Error(),
			"PUBLIC_URL must be an origin") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestRun is the whole program with nothing behind it: it starts, serves and
// stops cleanly.
func TestRun(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := frontend.Default()
	c.Listener, c.Log, c.InternalAPIKey = listener, slog.DiscardHandler, "k"
	c.PublicURL = "https://origami.example/"
	c.AuthURL, c.ProductURL, c.RecommendationURL = "http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:1"
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- frontend.Run(ctx, c) }()
	for _, path := range []string{"/", "/readyz", "/status", "/login", "/daily"} {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listener.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
