package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"craftista/shared/telemetry"
	"craftista/shared/web"
)

// TestPostUpload: a body that comes for longer than the server allows is read to its
// end, and answered; of other requests it is cut.
func TestPostUpload(t *testing.T) {
	t.Parallel()
	r := web.NewRouter(telemetry.Discard(), web.Problem)
	size := func(w http.ResponseWriter, r *http.Request) error {
		left, _ := r.Context().Deadline()
		if r.URL.Path == "/upload" && time.Until(left) < web.RequestTimeout {
			t.Errorf("the handler has until %v", left)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		return web.Reply(w, http.StatusOK, len(body))
	}
	r.Post("/other", size)
	r.PostUpload("/upload", size)
	server := httptest.NewUnstartedServer(r)
	server.Config.ReadHeaderTimeout = time.Hour
	server.Config.ReadTimeout, server.Config.WriteTimeout = time.Nanosecond, time.Nanosecond
	server.Start()
	defer server.Close()
	for path, want := range map[string]int{"/upload": http.StatusOK, "/other": 0} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path,
			strings.NewReader(strings.Repeat("x", 4<<20)))
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		res, err := server.Client().Do(req)
		if err == nil {
			body, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if got = res.StatusCode; want == http.StatusOK && strings.TrimSpace(string(body)) != "4194304" {
				t.Errorf("%s: %s", path, body)
			}
		}
		if got != want {
			t.Errorf("%s: status %d, %v; want %d", path, got, err, want)
		}
	}
}
