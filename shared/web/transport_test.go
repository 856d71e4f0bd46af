package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestIdleConnectionsEndBeforeADrain: the listener may close right after a reply, which then did not say that it is the
// connection's last. The client has to leave within the other half of the drain.
func TestIdleConnectionsEndBeforeADrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const half = 3 * time.Second // of DRAIN in docker-compose.yml
		client, service := net.Pipe()
		transport := newTransport(time.Minute)
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return client, nil }
		go func() {
			if _, err := http.ReadRequest(bufio.NewReader(service)); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(service, "HTTP/1.1 204 No Content\r\n\r\n")
		}()
		r, err := http.NewRequest(http.MethodPost, "http://service/", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()

		replied := time.Now()
		_, err = service.Read(make([]byte, 1))
		if idle := time.Since(replied); !errors.Is(err, io.EOF) || idle >= half {
			t.Errorf("the client leaves after %v (%v), want less than %v", idle, err, half)
		}
	})
}
