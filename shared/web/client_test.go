package web_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"craftista/shared/fault"
	"craftista/shared/telemetry"
	"craftista/shared/waittest"
	"craftista/shared/web"

	"github.com/google/go-cmp/cmp"
)

// client calls the service at url, and gives up after timeout.
func client(url string, timeout time.Duration) *web.Client {
	return web.NewClient("shop", url, web.NewHTTPClient(timeout, telemetry.Discard()))
}

// clientOf calls a service that answers by h.
func clientOf(t *testing.T, h http.HandlerFunc) *web.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return client(server.URL, waittest.Timeout)
}

func TestFaultsKeepTheirMeaningAcrossTheWire(t *testing.T) {
	t.Parallel()
	want := &fault.Error{
		Message: "the request breaks a rule", Code: "invalid_token", RetryAfter: 3 * time.Second,
		Fields: []fault.Field{{Field: "name", Message: "is required"}},
	}
	calls := clientOf(t, func(w http.ResponseWriter, r *http.Request) { web.Problem(w, r, want) })
	for _, want.Kind = range []fault.Kind{
		fault.BadRequest, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.MethodNotAllowed, fault.Conflict,
		fault.PreconditionFailed, fault.TooLarge, fault.Unsupported, fault.Invalid, fault.PreconditionRequired,
		fault.Throttled, fault.Internal, fault.Unavailable,
	} {
		_, err := calls.Do(t.Context(), web.Request{Method: "GET", Path: "/"}, nil)
		var got *fault.Error
		if !errors.As(err, &got) {
			t.Errorf("kind %v arrives as %v", want.Kind, err)
			continue
		}
		if want.Kind == fault.Unauthenticated && got.Code != want.Code { // others have no challenge for it
			t.Errorf("code %q, want %q", got.Code, want.Code)
		}
		if got.Kind != want.Kind || got.Message != want.Message || got.RetryAfter != want.RetryAfter ||
			!cmp.Equal(got.Fields, want.Fields) {
			t.Errorf("kind %v arrives as %+v", want.Kind, got)
		}
	}
}

func TestClientCallsAServiceThatMisbehaves(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			<-hang
		case "/nonsense":
			_, _ = io.WriteString(w, "<html>")
		case "/redirect":
			http.Redirect(w, r, "/nonsense", http.StatusFound)
		case "/html-error":
			http.Error(w, "<b>secret</b>", http.StatusBadGateway)
		case "/endless":
			for _, err := w.Write(nil); err == nil; {
				_, err = w.Write(make([]byte, 64<<10))
			}
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hang) })
	calls := client(server.URL, waittest.Timeout)
	for _, row := range []struct {
		client  *web.Client
		path    string
		kind    fault.Kind
		message string
	}{
		{client(server.URL, 200*time.Millisecond), "/hang", fault.Unavailable, "shop does not answer"},
		{calls, "/nonsense", fault.Unavailable, "shop sent an invalid answer"},
		{calls, "/redirect", fault.Internal, "shop answered 302"},
		{calls, "/html-error", fault.Unavailable, "shop answered 502"},
		{calls, "/endless", fault.Unavailable, "shop stopped answering"},
		{client("http://127.0.0.1:1/", waittest.Timeout), "/", fault.Unavailable, "shop does not answer"},
	} {
		var out struct{}
		_, err := row.client.Do(t.Context(), web.Request{Method: "GET", Path: row.path + "?q=secret"}, &out)
		if got := web.FaultOf(err); fault.KindOf(err) != row.kind || got.Message != row.message {
			t.Errorf("%s: %v, want kind %v, %q", row.path, err, row.kind, row.message)
		}
		if strings.Contains(err.Error(), "secret") { // it goes to the log
			t.Errorf("%s: %v has the query", row.path, err)
		}
	}
}

func TestClientSendsWhatIsAsked(t *testing.T) {
	t.Parallel()
	calls := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		in, err := web.Decode[sheet](r)
		got := []string{r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("X-More")}
		if diff := cmp.Diff([]string{"PUT", "/sheets?x=1", "Bearer abc", "yes"}, got); err != nil || diff != "" {
			t.Errorf("arrived: %v (-want +got):\n%s", err, diff)
		}
		w.Header().Set("X-Back", "1")
		_ = web.Reply(w, 200, sheet{in.Name, in.Side * 2})
	})
	var got sheet
	header, err := calls.Do(t.Context(), web.Request{
		Method: "PUT", Path: "/sheets?x=1", Bearer: "abc", Header: http.Header{"X-More": {"yes"}}, Body: sheet{"A", 15},
	}, &got)
	if err != nil || got != (sheet{"A", 30}) || header.Get("X-Back") != "1" {
		t.Errorf("got %v, %v, %v", got, header, err)
	}
}

func TestClientReadsARefusalBesides(t *testing.T) {
	t.Parallel()
	calls := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/html" {
			http.Error(w, "<html>", http.StatusServiceUnavailable)
			return
		}
		_ = web.Reply(w, http.StatusServiceUnavailable, sheet{"B", 20})
	})
	for path, want := range map[string]sheet{"/json": {"B", 20}, "/html": {}} {
		var got, none sheet
		_, err := calls.Do(t.Context(), web.Request{Method: http.MethodGet, Path: path, ErrorBody: &got}, &none)
		if fault.KindOf(err) != fault.Unavailable || got != want || none != (sheet{}) {
			t.Errorf("%s: got %+v, reply %+v, %v; want %+v", path, got, none, err, want)
		}
	}
}

func TestClientPassesBytesAsTheyStand(t *testing.T) {
	t.Parallel()
	calls := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		media, body, err := web.ReadBody(r, 100, "image/png")
		if err != nil || media != "image/png" || string(body) != "\x89PNG\x00" || r.ContentLength != 5 {
			t.Errorf("arrived: %s %q of %d, %v", media, body, r.ContentLength, err)
		}
		w.Header().Set("Content-Type", media)
		_, _ = w.Write(body)
	})
	body, reply := web.RawBody{MediaType: "image/png", Bytes: []byte("\x89PNG\x00")}, web.RawBody{}
	_, err := calls.Do(t.Context(), web.Request{Method: "POST", Path: "/", Body: body}, &reply)
	if diff := cmp.Diff(body, reply); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
}
