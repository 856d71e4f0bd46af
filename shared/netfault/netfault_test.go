package netfault_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"craftista/shared/netfault"
	"craftista/shared/waittest"
)

// answer is the body that url answers with, or the error of one attempt on a new connection.
func answer(url string, timeout time.Duration) (string, error) {
	client := &http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func server(t *testing.T, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestProxyFaults(t *testing.T) {
	t.Parallel()
	first := server(t, "first")
	p := netfault.New(first)
	t.Cleanup(p.Close)
	url := p.URL(first)
	want := func(step, body string) {
		t.Helper()
		if got, err := answer(url, waittest.Timeout); err != nil || got != body {
			t.Errorf("%s: %q, %v; want %q", step, got, err, body)
		}
	}
	wantFailure := func(step string, timeout time.Duration) {
		t.Helper()
		if got, err := answer(url, timeout); err == nil {
			t.Errorf("%s: answered %q", step, got)
		}
	}
	want("unchanged", "first")
	p.Cut()
	wantFailure("cut", waittest.Timeout)
	p.Restore()
	want("after a cut", "first")
	p.Block()
	wantFailure("blocked", 50*time.Millisecond)
	p.Delay(time.Hour)
	wantFailure("delayed by an hour", 50*time.Millisecond)
	p.Delay(10 * time.Millisecond)
	want("delayed a little", "first")
	p.SetTarget(server(t, "second"))
	p.Restore()
	want("with another target", "second")
}

func TestProxyPassesWhatWasBlocked(t *testing.T) {
	t.Parallel()
	p := netfault.New(server(t, "late"))
	t.Cleanup(p.Close)
	p.Block()
	c, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "the connection and the request arrive", func() bool { return p.Sent.Load() == 2 })
	p.Restore()
	if reply, err := io.ReadAll(c); err != nil || len(reply) == 0 {
		t.Errorf("reply %q, %v", reply, err)
	}
}
