package bench

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"
)

// BenchmarkGallery is the front page, as a visitor sees it and as a person who
// is signed in does, against a handler that sends the same bytes. Visitors share a
// page for a second; for the person the services answer each time. All of them,
// PostgreSQL and the client share the processors.
func BenchmarkGallery(b *testing.B) {
	s := stacktest.Start(b, func(c *local.Config) { c.Sampler = "always_off" })
	front := s.URLs["frontend"]
	page := fetch(b, front+"/")
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(page)))
		_, _ = w.Write(page) // a client that hung up fails the benchmark itself
	}))
	b.Cleanup(bare.Close)
	addr := strings.TrimPrefix(front, "http://")
	compare(b, 400*time.Millisecond, []subject{
		{"bare", bare.Listener.Addr().String(), "/", nil},
		{"visitor", addr, "/", nil},
		{"signed-in", addr, "/", map[string]string{"Cookie": signIn(b, front)}},
	})
}

// signIn is the Cookie header of a demo person.
func signIn(b *testing.B, front string) string {
	b.Helper()
	form := url.Values{"username": {"user"}, "password": {"paper-crane-user"}}
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, front+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		b.Fatal(err)
	}
	_ = res.Body.Close()
	var cookies []string
	for _, c := range res.Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	if len(cookies) != 2 {
		b.Fatal(fmt.Errorf("sign-in answers %s with %d cookies", res.Status, len(cookies)))
	}
	return strings.Join(cookies, "; ")
}
